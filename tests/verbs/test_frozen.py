"""A frozen trunk: its features are computed once, and only embedder and loss train on them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_study import FROZEN, write_study

from realitycheck import verbs
from realitycheck.errors import InputError
from realitycheck.executors.base import Job
from realitycheck.executors.inline import InlineExecutor
from realitycheck.executors.local import LocalExecutor
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Run, Score, of_type
from realitycheck.stores.feature_parts import features_path, missing
from realitycheck.stores.open import open_store
from realitycheck.training.embedding_model import build_trunk
from realitycheck.verbs import frozen
from realitycheck.verbs.executing import preload
from realitycheck.verbs.frozen import with_features


@pytest.fixture(scope="module")
def looked(tmp_path_factory):
    """A study with a frozen trunk, all of it run."""
    study = write_study(tmp_path_factory.mktemp("frozen"), protocol=FROZEN)
    told = []
    result = verbs.run_study(
        verbs.load_study(study), device="cpu", progress=lambda title, done, count: told.append((title, count))
    )
    assert not result.left and not result.alarms
    return study, told


def test_a_study_on_frozen_features_runs_to_its_scores(looked):
    study, told = looked
    records = Ledger(study.parent / "small").records.values()
    assert len(of_type(records, Run)) == 3 * (3 * 2 + 2 * 3) + 2 * 3
    # three losses and the embedder, two seeds, folds and complete; the trunk, in which nothing is random, once
    assert len(of_type(records, Score)) == 3 * 2 * 2 + 2 * 2 + 1
    assert {title for title, _ in told} >= {"features of pictures, trainval", "features of pictures, test"}


def test_features_are_those_of_the_trunk_and_of_the_mirror_images(looked):
    read = verbs.load_study(looked[0])
    (stores,) = verbs.prepare_data(read).values()
    recipe = read.study.protocol_on("pictures").recipe
    assert missing(stores.trainval, recipe) == []
    store = open_store(features_path(stores.trainval, recipe))
    pixels = open_store(stores.trainval)
    assert store.features.shape == (32, 2, 32)
    trunk = build_trunk(recipe=recipe, in_channels=3, weights=None, seed=0).eval()
    images = torch.from_numpy(pixels.images[:5])
    with torch.inference_mode():
        maps = [trunk(each.float() / 255) for each in (images, images.flip(3))]
    for view, expected in enumerate(maps):
        np.testing.assert_allclose(store.features[:5, view], expected.mean(dim=(2, 3)), rtol=1e-4, atol=1e-5)


def test_training_sees_mirror_images_half_of_the_time_and_evaluation_never(looked):
    read = verbs.load_study(looked[0])
    (stores,) = verbs.prepare_data(read).values()
    recipe = read.study.protocol.recipe
    store = open_store(features_path(stores.trainval, recipe))
    device, indices = torch.device("cpu"), np.zeros(1000, dtype=np.int64)
    drawn = store.drawn(indices, recipe=recipe, generator=torch.Generator().manual_seed(0), device=device)
    plain = store.plain(indices, recipe=recipe, device=device)
    assert torch.equal(plain, torch.from_numpy(store.features[indices, 0]))
    mirrored = int((drawn != plain).any(dim=1).sum())
    assert abs(mirrored - 500) < 80


def test_what_a_trunk_that_is_frozen_cannot_do_is_refused(tmp_path):
    for old, new, where, code in (
        ("shift: 0", "shift: 2", "recipe.augment.shift", "frozen-augmentation"),
        ("batch_norm: frozen", "batch_norm: train", "recipe.batch_norm", "frozen-batch-norm"),
        ("shared: {", "shared: {trunk_lr: 1e-3, ", "search.shared.trunk_lr", "frozen-rate"),
    ):
        study = write_study(tmp_path, protocol=FROZEN.replace(old, new))
        with pytest.raises(InputError) as error:
            verbs.load_study(study)
        assert (where, code) in [(problem.where, problem.code) for problem in error.value.problems]


def test_weights_that_are_not_to_be_had_are_told_at_their_line(tmp_path):
    weights = "{source: nowhere.pth, sha256: 0123456789abcdef}"
    study = write_study(tmp_path, protocol=FROZEN.replace("frozen: true", f"frozen: true, weights: {weights}"))
    read = verbs.load_study(study)
    executor = LocalExecutor(devices=[None], memory=None, deadline=60, preload=preload(), pins={})
    try:
        with pytest.raises(InputError, match=r"recipe.trunk.weights: nowhere\.pth: "):
            with_features(read, verbs.prepare_data(read), executor, device="cpu", watch=lambda *_: None)
    finally:
        executor.close()


def test_the_source_of_weights_is_no_part_of_an_identity(tmp_path):
    from realitycheck.plan.specs import DatasetPlan

    ids = []
    for source, digest in (("a.pth", "01234567"), ("b.pth", "01234567"), ("a.pth", "76543210")):
        weights = f"{{source: {source}, sha256: '{digest}'}}"
        study = write_study(tmp_path, protocol=FROZEN.replace("frozen: true", f"frozen: true, weights: {weights}"))
        plan = DatasetPlan(study=verbs.load_study(study).study, dataset="pictures", data="d", test="t")
        ids.append((plan.digest, plan.losses[0].searches[0].id))
    assert ids[0] == ids[1] != ids[2]


class Crowded(InlineExecutor):
    """A device on which the second part of the features lacks memory while it is shared."""

    def submit(self, job, *, address):
        self.alone = [*getattr(self, "alone", []), (job.id, job.alone)]
        short = job.id == "two" and not job.alone
        super().submit(job, address="standins:lack" if short else "standins:echo")


def test_a_part_that_lacked_memory_has_the_device_to_itself():
    executor = Crowded(device=None)
    jobs = [Job("features", name, "g", name, {}) for name in ("one", "two", "three")]
    frozen._carry_out(jobs, executor, watch=lambda done: None)
    assert executor.alone == [("one", False), ("two", False), ("three", False), ("two", True)]
