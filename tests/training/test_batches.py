from __future__ import annotations

import numpy as np
import torch

from realitycheck.training.batches import MPerClassBatches

LABELS = np.repeat(np.arange(10), [3, 4, 5, 6, 7, 3, 4, 5, 6, 7])


def batches(seed=0, classes=(1, 3, 5, 7, 9), shape=None):
    return MPerClassBatches(labels=LABELS, classes=classes, shape=shape or {"classes": 3, "per_class": 3}, seed=seed)


def test_m_different_images_of_each_of_so_many_different_classes():
    for iteration in range(50):
        indices, labels = batches().draw(iteration)
        assert len(set(indices.tolist())) == 9
        assert torch.equal(labels, labels[::3].repeat_interleave(3))
        assert len(set(labels.tolist())) == 3
        assert [(1, 3, 5, 7, 9)[label] for label in labels] == LABELS[indices].tolist()


def test_a_batch_depends_on_seed_and_iteration_alone():
    once, again = batches(), batches()
    later = [again.draw(iteration) for iteration in (7, 3, 5)]
    for iteration, (indices, labels) in zip((7, 3, 5), later, strict=True):
        assert torch.equal(once.draw(iteration)[0], indices)
        assert torch.equal(once.draw(iteration)[1], labels)
    assert not torch.equal(once.draw(0)[0], once.draw(1)[0])
    assert not torch.equal(batches(seed=1).draw(0)[0], once.draw(0)[0])


def test_every_class_and_every_image_comes_up_about_equally_often():
    drawn = torch.cat([batches().draw(iteration)[0] for iteration in range(2000)])
    counts = np.bincount(LABELS[drawn], minlength=10)[[1, 3, 5, 7, 9]]
    expected = 2000 * 3 * 3 / 5
    # each class is in a batch with chance 3/5: binomial spread of the batches times 3 images
    assert np.all(np.abs(counts - expected) < 5 * 3 * np.sqrt(2000 * 0.6 * 0.4))
    images = np.bincount(drawn, minlength=len(LABELS))
    assert np.all(images[LABELS == 9] > 0)
