"""The original's sampler: one stream of passes over the classes, cut into batches."""

from __future__ import annotations

from collections import Counter

import numpy as np
import torch

from realitycheck.training.batches import StreamBatches

LABELS = np.repeat(np.arange(7), [3, 4, 5, 6, 7, 2, 9])


def stream(seed=0):
    shape = {"classes": 4, "per_class": 3, "stream": True}
    return StreamBatches(labels=LABELS, classes=range(7), shape=shape, seed=seed)


def test_every_pass_gives_each_class_once_and_batches_straddle_passes():
    labels = torch.cat([stream().draw(iteration)[1][::3] for iteration in range(7)])  # 28 places are 4 passes of 7
    for number in range(4):
        assert sorted(labels[7 * number : 7 * number + 7].tolist()) == list(range(7))
    assert any(len(set(stream().draw(iteration)[1].tolist())) < 4 for iteration in range(200))  # a class met twice


def test_images_belong_to_their_class_and_differ_where_there_are_enough():
    for iteration in range(40):
        indices, labels = stream().draw(iteration)
        assert LABELS[indices].tolist() == labels.tolist()
        for group, label in zip(indices.view(4, 3), labels[::3], strict=True):
            assert len(set(group.tolist())) == 3 or label == 5  # class 5 has two images


def test_a_batch_depends_on_seed_and_iteration_alone():
    once, again = stream(), stream()
    for iteration in (9, 2, 30, 3):
        assert torch.equal(once.draw(iteration)[0], stream().draw(iteration)[0])
        assert torch.equal(once.draw(iteration)[0], again.draw(iteration)[0])
    assert not torch.equal(stream(seed=1).draw(0)[0], stream().draw(0)[0])


def test_every_image_of_a_class_comes_up_about_equally_often():
    drawn = Counter(torch.cat([stream().draw(iteration)[0] for iteration in range(1750)]).tolist())  # 1,000 passes
    for label in range(7):
        members = np.flatnonzero(label == LABELS).tolist()
        counts = np.array([drawn[images] for images in members])
        assert counts.sum() == 3000
        assert abs(counts - 3000 / len(members)).max() < 5 * np.sqrt(3000 / len(members))
