"""What a run's record holds of its training: means over intervals, and the digest of the selected weights."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from small_study import PROTOCOL, SPACES, STUDY, write_study

from realitycheck import losses, verbs
from realitycheck.executors.base import unheard
from realitycheck.plan.specs import DatasetPlan
from realitycheck.records.from_json import read_record
from realitycheck.runs import TrainingPlace
from realitycheck.stores.cache import weights_path
from realitycheck.training import single_run
from realitycheck.training.assemble import assemble
from realitycheck.training.checkpoint import weights_digest
from realitycheck.training.class_vectors import class_vectors_of, own_distance

KNOBS = {
    "contrastive": {"pos_margin": 0.1, "neg_margin": 0.5},
    "euclidean_softmax": {"temperature": 0.3, "loss_lr": 1e-2},
    "normalized_softmax": {"temperature": 0.1, "loss_lr": 1e-2},
}
HIERARCHY = {"clusters": 2, "coarse_weight": 0.1, "recluster_every": 1}
CENTRES = {"scale": 20.0, "gamma": 0.1, "margin": 0.01, "regularizer": 0.2}


@pytest.fixture(scope="module")
def searches(tmp_path_factory):
    """Label → its search, and where its runs may run."""
    study = STUDY.replace("triplet", "euclidean_softmax")
    path = write_study(tmp_path_factory.mktemp("curve"), protocol=PROTOCOL, study=study)
    spaces = path.parent.parent / "protocols" / "spaces" / "v1.yaml"
    spaces.write_text(f"{SPACES}euclidean_softmax: {{temperature: {{log_uniform: [0.1, 10]}}, loss_lr: 1e-2}}\n")
    read = verbs.load_study(path)
    (stores,) = verbs.prepare_data(read).values()
    plan = DatasetPlan(study=read.study, dataset="pictures", data=stores.trainval_digest, test=None)
    place = TrainingPlace(str(stores.trainval), str(stores.trainval.parent), "cpu", None)
    return {loss.label: loss.searches[0] for loss in plan.losses}, place


def trained(spec, place):
    return read_record(
        single_run.run({"spec": spec.to_json(), "place": asdict(place), "keep": True}, tell=unheard).body
    )


def seen_by(trainer):
    """What the loss is given at each step: embeddings, labels and class vectors as arrays."""
    seen = []

    def remember(loss, inputs):
        vectors = getattr(loss, "proxies", None)
        copies = (*inputs, vectors) if vectors is not None else inputs
        seen.append([value.detach().numpy().copy() for value in copies])

    trainer.loss.register_forward_pre_hook(remember)
    return seen


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize(("label", "space"), [("euclidean_softmax", np.asarray), ("normalized_softmax", unit)])
def test_the_distance_to_the_own_vector_is_in_the_space_of_the_loss(searches, label, space):
    """By a loop over images: raw vectors for a Euclidean loss, those of length 1 for a cosine loss."""
    plans, place = searches
    trainer, _, _ = assemble(plans[label].trial_runs(slot=0, knobs=KNOBS[label])[0], place)
    seen = seen_by(trainer)
    means = trainer.advance(3)
    steps = []
    for embeddings, labels, vectors in seen:
        points, own = space(embeddings.astype(float)), space(vectors.astype(float))
        steps.append(np.mean([np.sqrt(((x - own[y]) ** 2).sum()) for x, y in zip(points, labels, strict=True)]))
    assert len(steps) == 3
    assert means.proxy_distance == pytest.approx(np.mean(steps), rel=1e-5)
    assert np.ptp(steps) > 1e-3, "the mean is of different steps"


@pytest.mark.parametrize(("label", "space"), [("euclidean_softmax", np.asarray), ("normalized_softmax", unit)])
def test_the_distance_without_augmentation(searches, label, space):
    """By a loop over all training images of the fold as they are, after the last step; training is the same."""
    plans, place = searches
    spec = plans[label].trial_runs(slot=0, knobs=KNOBS[label])[0]
    plain = replace(spec, recipe={**spec.recipe, "unaugmented_distance": True})
    assert plain.id != spec.id
    trainer, train, _ = assemble(plain, place)
    augmented, means = assemble(spec, place)[0].advance(3), trainer.advance(3)
    model, store = trainer.model.eval(), trainer.store
    with torch.no_grad():
        pixels = store.plain(train, recipe=trainer.recipe, device=trainer.device)
        points = space(model(pixels).numpy().astype(float))
    own = space(trainer.loss.proxies.detach().numpy().astype(float))
    row_of = {label: row for row, label in enumerate(sorted(set(store.labels[train])))}
    away = [np.sqrt(((x - own[row_of[y]]) ** 2).sum()) for x, y in zip(points, store.labels[train], strict=True)]
    assert means.proxy_distance == pytest.approx(np.mean(away), rel=1e-5)
    assert means.loss == augmented.loss
    assert abs(means.proxy_distance - augmented.proxy_distance) > 1e-4


def test_a_loss_of_pairs_has_no_such_distance(searches):
    plans, place = searches
    trainer, _, _ = assemble(plans["contrastive"].trial_runs(slot=0, knobs=KNOBS["contrastive"])[0], place)
    assert trainer.advance(1).proxy_distance is None


def test_measuring_changes_no_step(searches, monkeypatch):
    plans, place = searches
    spec = plans["normalized_softmax"].trial_runs(slot=0, knobs=KNOBS["normalized_softmax"])[0]
    with_it = trained(spec, place)
    monkeypatch.setattr("realitycheck.training.loop.class_vectors_of", lambda *_, **__: None)
    without = trained(spec, place)
    assert with_it.training[0].proxy_distance is not None and without.training[0].proxy_distance is None
    assert (with_it.weights, with_it.curve) == (without.weights, without.curve)


@pytest.mark.parametrize(
    ("name", "knobs", "found"),
    [
        ("normalized_softmax", {"temperature": 0.1}, "proxies"),
        ("hierarchical_proxy(normalized_softmax)", {**HIERARCHY, "temperature": 0.1}, "base.proxies"),
        ("soft_triple", {**CENTRES, "centers": 1}, "proxies"),
        ("soft_triple", {**CENTRES, "centers": 2}, None),
        ("triplet", {"margin": 0.1}, None),
    ],
)
def test_which_losses_have_one_vector_per_class(name, knobs, found):
    loss = losses.build(name, num_classes=6, embedding_dim=4, **knobs)
    vectors = class_vectors_of(loss, classes=6, dims=4)
    names = {id(parameter): each for each, parameter in loss.named_parameters()}
    assert (None if vectors is None else names[id(vectors)]) == found


def test_long_embeddings_do_not_overflow():
    """The square of 1e30 is no float32, but the distance is."""
    far, vectors = torch.full((2, 4), 1e30), torch.zeros(3, 4)
    assert float(own_distance(far, torch.tensor([0, 2]), vectors, distance="euclidean")) == pytest.approx(2e30)


def test_each_interval_of_a_fold_run_is_a_point(searches):
    plans, place = searches
    run = trained(plans["normalized_softmax"].trial_runs(slot=0, knobs=KNOBS["normalized_softmax"])[0], place)
    assert [point.iteration for point in run.training] == [point.iteration for point in run.curve[1:]]
    assert {point.phase for point in run.training} == {"normal"}
    assert all(point.loss > 0 and 0 < point.proxy_distance < 2 for point in run.training)


def test_a_complete_run_has_points_at_the_interval_of_the_fold_runs(searches):
    plans, place = searches
    search = plans["contrastive"]
    folds = [trained(spec, place) for spec in search.replicate_runs(index=0, knobs=KNOBS["contrastive"])]
    spec = search.complete_run(index=0, knobs=KNOBS["contrastive"], fold_runs=folds)
    assert {phase["record_every"] for phase in spec.phases} == {10}
    cut = replace(spec, phases=({"name": "normal", "iterations": 25, "record_every": 10},))
    run = trained(cut, place)
    assert [point.iteration for point in run.training] == [10, 20, 25]
    assert run.curve == () and run.weights


def test_the_digest_is_that_of_the_selected_weights(searches):
    """By a second implementation, of the file in the cache: names in order, each with its type, shape and bytes."""
    plans, place = searches
    spec = plans["contrastive"].replicate_runs(index=0, knobs=KNOBS["contrastive"])[0]
    run = trained(spec, place)
    tensors = load_file(weights_path(Path(place.cache), spec.id))
    text = b""
    for name in sorted(tensors):
        value = tensors[name].numpy()
        kind = {"float32": "torch.float32", "int64": "torch.int64"}[value.dtype.name]
        head = json.dumps([name, kind, list(value.shape)], separators=(",", ":"))
        text += head.encode() + value.tobytes()
    assert run.weights == hashlib.sha256(text).hexdigest()


def test_the_digest_depends_on_every_bit_name_type_and_shape():
    value = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    flipped = value.clone()
    flipped.view(torch.int32)[1, 2] ^= 1
    versions = [
        {"a": value},
        {"b": value},
        {"a": flipped},
        {"a": value.reshape(3, 2)},
        {"a": value.view(torch.int32)},
        {"a": value, "b": torch.zeros(())},
    ]
    assert len({weights_digest(tensors) for tensors in versions}) == len(versions)
    assert weights_digest({"a": value, "b": flipped}) == weights_digest({"b": flipped, "a": value})


def test_searched_and_untrained_runs_have_a_digest_and_a_diverged_one_has_none(searches, monkeypatch):
    plans, place = searches
    spec = plans["contrastive"].trial_runs(slot=0, knobs=KNOBS["contrastive"])[0]
    assert trained(spec, place).weights
    untrained = trained(replace(spec, loss=None, knobs={}, phases=()), place)
    assert untrained.weights and untrained.training == ()
    monkeypatch.setattr(torch.autograd, "backward", lambda loss: loss.detach().mul_(torch.nan))
    diverged = trained(spec, place)
    assert diverged.diverged and diverged.weights is None and diverged.training == ()
