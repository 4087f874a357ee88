"""A run that is killed after a checkpoint and continued is the unbroken one, for every loss with state."""

from __future__ import annotations

import pytest
from checkpointed_runs import KINDS, menu_choice, plug_in_choice, prepared

from realitycheck.canonical import canonical_json
from realitycheck.catalog import build_loss
from realitycheck.check.loss_trial import CLASSES, DIMS, PAIRED, _inputs
from realitycheck.losses.menu import MENU
from realitycheck.protocol.knobs import own_knobs, phase_knobs
from realitycheck.training.module_attributes import attributes_tree

STATEFUL = (
    *("triplet_distance_weighted", "cross_batch_memory", "moco", "blackbox_ap", "ibc", "hist"),
    *("large_margin_softmax", "sphereface", "ccl", "hierarchical_proxy"),
)
STATELESS = ("contrastive", "margin", "normalized_softmax")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    losses = {name: menu_choice(name) for name in MENU}
    plug_ins = {kind.__name__.lower(): plug_in_choice(kind.__name__) for kind in KINDS}
    return prepared(tmp_path_factory.mktemp("checkpoints"), losses | plug_ins)


def test_these_are_all_losses_with_state(home):
    """What a loss of the menu keeps is in buffers, or in the teacher that it needs; no attribute changes."""
    stateful = set()
    for name in MENU:
        spec = home.fold_run(name)
        knobs = own_knobs(phase_knobs(spec.knobs, "normal"))
        loss = build_loss(spec.loss["address"], num_classes=CLASSES, embedding_dim=DIMS, seed=0, knobs=knobs)
        before = attributes_tree({"loss": loss})
        batch = _inputs(loss, PAIRED)
        batch.call(loss, batch.leaf * 1, batch.labels)
        assert attributes_tree({"loss": loss}) == before
        if any(True for _ in loss.buffers()) or batch.beside.get("keys") is not None:
            stateful.add(name)
    assert stateful == set(STATEFUL)


@pytest.fixture(scope="module")
def unbroken(home):
    """The records' bodies of runs without checkpoints, by spec."""
    bodies = {}

    def body(spec):
        if spec.id not in bodies:
            bodies[spec.id] = canonical_json(home.run(spec))
        return bodies[spec.id]

    return body


@pytest.mark.parametrize("at", [2, 6, 13])
@pytest.mark.parametrize("label", [*STATEFUL, *STATELESS, *(kind.__name__.lower() for kind in KINDS)])
def test_a_continued_fold_run_is_the_unbroken_one(home, unbroken, label, at):
    """Cut within an interval, at an evaluation, and within an interval of the second phase."""
    spec = home.fold_run(label)
    assert home.kill(spec, at=at).exists()
    assert canonical_json(home.run(spec)) == unbroken(spec)


@pytest.mark.parametrize("at", [2, 3, 7])
@pytest.mark.parametrize("label", ["moco", "hierarchical_proxy", "ibc", "normalized_softmax", "attributes"])
def test_a_continued_complete_run_is_the_unbroken_one(home, unbroken, label, at):
    spec = home.complete_run(label)
    assert home.kill(spec, at=at).exists()
    assert canonical_json(home.run(spec)) == unbroken(spec)
