"""A run that is killed after a checkpoint and continued is the unbroken one, for every loss with state."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from checkpointed_runs import Killed, menu_choice, plug_in_choice, prepared

from realitycheck import training
from realitycheck.canonical import canonical_json
from realitycheck.catalog import build_loss
from realitycheck.check.loss_trial import CLASSES, DIMS, PAIRED, _inputs
from realitycheck.errors import RunError
from realitycheck.losses.menu import MENU
from realitycheck.protocol.knobs import own_knobs, phase_knobs
from realitycheck.stores.cache import forget_checkpoint
from realitycheck.training import embed, run_checkpoints
from realitycheck.training.loop import Trainer
from realitycheck.training.module_attributes import attributes_tree
from realitycheck.training.run_checkpoints import RunCheckpoints

STATEFUL = (
    *("triplet_distance_weighted", "cross_batch_memory", "moco", "blackbox_ap", "ibc", "hist"),
    *("large_margin_softmax", "sphereface", "ccl", "hierarchical_proxy"),
)
KEPT = ("Attributes", "Generators", "GlobalDraws", "Buffers", "Trained", "ClosedKnob")
REFUSED = ("ClosedState", "OddState", "GlobalState")
WITHIN, EVALUATED, SECOND_PHASE = 2, 3, 8
"""Iterations within an interval, at an evaluation, and within an interval of the second phase."""
FROZEN = 5
"""After the step in which `Trained` freezes a layer."""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    plug_ins = {name.lower(): plug_in_choice(name) for name in (*KEPT, *REFUSED)}
    return prepared(tmp_path_factory.mktemp("checkpoints"), {name: menu_choice(name) for name in MENU} | plug_ins)


@pytest.fixture(scope="module")
def unbroken(home):
    """The bodies of the records of runs without checkpoints, by spec."""
    bodies = {}

    def body(spec):
        if spec.id not in bodies:
            home.path(spec).unlink(missing_ok=True)
            bodies[spec.id] = canonical_json(home.run(spec))
        return bodies[spec.id]

    return body


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
        if any(True for _ in loss.buffers()) or "keys" in batch.beside:
            stateful.add(name)
    assert stateful == set(STATEFUL)


@pytest.mark.parametrize("at", [WITHIN, EVALUATED, SECOND_PHASE])
@pytest.mark.parametrize("label", [*STATEFUL, "normalized_softmax"])
def test_a_continued_fold_run_is_the_unbroken_one(home, unbroken, label, at):
    spec = home.fold_run(label)
    assert home.kill(spec, at=at).exists()
    assert canonical_json(home.run(spec)) == unbroken(spec)


@pytest.mark.parametrize("at", [FROZEN, SECOND_PHASE])
@pytest.mark.parametrize("name", KEPT)
def test_a_plug_in_with_state_in_attributes_and_generators_is_continued(home, unbroken, name, at):
    spec = home.fold_run(name.lower())
    assert home.kill(spec, at=at).exists()
    torch.manual_seed(1)  # another process: its generators are elsewhere
    assert canonical_json(home.run(spec)) == unbroken(spec)


@pytest.mark.parametrize("at", [2, 3, 7])
def test_a_continued_complete_run_is_the_unbroken_one(home, unbroken, at):
    spec = home.complete_run("moco")
    assert home.kill(spec, at=at).exists()
    assert canonical_json(home.run(spec)) == unbroken(spec)


def test_that_a_parameter_of_the_loss_moved_is_kept(home):
    """Else a run whose second phase moves none is refused."""
    spec = home.fold_run("normalized_softmax")
    home.kill(spec, at=SECOND_PHASE)
    assert home.continued(spec).moved


def test_what_is_trained_is_kept(home):
    """A layer that a loss froze stays frozen."""
    spec = home.fold_run("trained")
    home.kill(spec, at=FROZEN)
    loss = home.continued(spec).trainer.loss
    assert [parameter.requires_grad for parameter in loss.parameters()] == [False, False]


def test_iterations_are_not_repeated(home, monkeypatch):
    """The second attempt takes the steps after the checkpoint alone, and reports them."""
    spec, steps, reported = home.fold_run("contrastive"), [], []
    honest = Trainer.take_step

    def step(trainer, *sums):
        steps.append(trainer.iteration)
        honest(trainer, *sums)

    monkeypatch.setattr(Trainer, "take_step", step)
    home.kill(spec, at=SECOND_PHASE)
    home.run(spec, tell=lambda *advance: reported.append(advance))
    assert steps == [*range(SECOND_PHASE), *range(SECOND_PHASE, 9)]
    assert reported[0] == (SECOND_PHASE, 9) and reported[-1] == (9, 9)
    assert reported == sorted(reported)


def test_a_run_reports_every_iteration_of_its_phases(home):
    reported = []
    home.run(home.complete_run("contrastive"), tell=lambda *advance: reported.append(advance))
    assert set(reported) == {(done, 9) for done in range(1, 10)}


def test_a_validation_reports_at_every_batch_what_is_done_so_far(home, monkeypatch):
    monkeypatch.setattr(embed, "EVALUATION_BATCH", 5)
    spec, reported = home.fold_run("contrastive"), []
    home.path(spec).unlink(missing_ok=True)
    body = home.run(spec, tell=lambda *advance: reported.append(advance))
    done = [advance[0] for advance in reported]
    assert done == sorted(done)
    batches = -(-body["images"]["val"] // 5)
    for point in body["curve"]:
        assert done.count(point["iteration"]) >= batches > 2


@pytest.mark.parametrize("name", ["OddState", "GlobalState"])
def test_state_that_no_checkpoint_can_hold_writes_none(home, monkeypatch, name):
    monkeypatch.setattr(training.assemble, "require_sources", lambda spec: None)
    spec = home.fold_run(name.lower())
    assert not home.kill(replace(spec, sources={spec.loss["address"]: "edited"}), at=WITHIN).exists()


def test_a_fixed_value_that_changed_is_found_when_the_run_continues(home, unbroken):
    spec = home.fold_run("closedstate")
    path = home.kill(spec, at=WITHIN)
    with pytest.raises(RunError, match="cannot be used"):
        home.run(spec)
    assert not path.exists() and list(path.parent.glob(f"{path.name}.damaged-*"))
    assert canonical_json(home.run(spec)) == unbroken(spec)


def foreign(home, name, monkeypatch):
    """The path of a run's checkpoint after another one was written there."""
    spec = home.fold_run("contrastive")
    if name == "run":
        home.kill(home.fold_run("triplet"), at=WITHIN).replace(home.path(spec))
        return spec
    honest = RunCheckpoints._head
    monkeypatch.setattr(RunCheckpoints, "_head", lambda self: honest(self) | {name: "another"})
    home.kill(spec, at=WITHIN)
    monkeypatch.undo()
    return spec


@pytest.mark.parametrize("name", ["run", "results_version", "arithmetic", "machine", "layout"])
def test_a_checkpoint_of_another_kind_is_set_aside_and_the_run_starts_from_zero(home, unbroken, monkeypatch, name):
    """In the same attempt, however often; one file at most is kept."""
    for _ in range(4):
        spec, reported = foreign(home, name, monkeypatch), []
        content = home.path(spec).read_bytes()
        with pytest.warns(RuntimeWarning, match=f"its {name} is "):
            body = home.run(spec, tell=lambda *advance, heard=reported: heard.append(advance))
        assert reported[0] == (0, 9)
        assert canonical_json(body) == unbroken(spec)
        assert not home.path(spec).exists()
        (aside,) = home.path(spec).parent.glob(f"{home.path(spec).name}.set-aside*")
        assert aside.read_bytes() == content
    forget_checkpoint(home.folder, spec.id)
    assert not aside.exists()


def test_whatever_byte_flips_is_found(home):
    spec = home.fold_run("normalized_softmax")
    content = home.kill(spec, at=WITHIN).read_bytes()
    for position in [*range(0, 24), *range(24, len(content), len(content) // 60)]:
        flipped = bytearray(content)
        flipped[position] ^= 1 << position % 8
        home.path(spec).write_bytes(flipped)
        with pytest.raises(RunError, match="cannot be used"):
            checkpoints(home, spec).find()
    assert len(list(home.path(spec).parent.glob(f"{home.path(spec).name}.damaged-*"))) > 80


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_torn_file_is_found(home, unbroken, share):
    spec = home.fold_run("contrastive")
    content = home.kill(spec, at=WITHIN).read_bytes()
    home.path(spec).write_bytes(content[: int(share * len(content))])
    with pytest.raises(RunError, match="cannot be used"):
        home.run(spec)
    assert canonical_json(home.run(spec)) == unbroken(spec)


def test_a_full_disk_stops_no_training(home, unbroken, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    spec = home.fold_run("contrastive")
    home.path(spec).unlink(missing_ok=True)
    monkeypatch.setattr(run_checkpoints, "write_checkpoint", full)
    assert canonical_json(home.run(spec, seconds=0.0)) == unbroken(spec)


def checkpoints(home, spec, *, seconds=None):
    return RunCheckpoints(spec, home.path(spec), seconds, torch.device("cpu"))


def test_when_a_checkpoint_is_written(home, monkeypatch):
    """Every 60 s, from 30 s on at an evaluation, and at most a twentieth of the time."""
    now = SimpleNamespace(time=0.0, cost=0.0)
    written = []

    def write(*_):
        written.append(now.time)
        now.time += now.cost

    monkeypatch.setattr(run_checkpoints, "clock", lambda: now.time)
    monkeypatch.setattr(run_checkpoints, "write_checkpoint", write)
    made = checkpoints(home, home.fold_run("contrastive"), seconds=60.0)

    def offered(time, *, evaluated):
        now.time = time
        made.offer(list, evaluated=evaluated)
        return time in written

    assert not offered(29.0, evaluated=True)
    assert not offered(59.0, evaluated=False)
    assert offered(60.0, evaluated=False)
    assert not offered(89.0, evaluated=True)
    now.cost = 4.0
    assert offered(90.0, evaluated=True)  # done at 94, so the next one is not before 94 + 20 * 4
    assert not offered(173.0, evaluated=False)
    assert offered(174.0, evaluated=False)


def test_a_short_run_writes_none(home, monkeypatch):
    def never(*_):
        raise Killed

    monkeypatch.setattr(run_checkpoints, "write_checkpoint", never)
    assert home.run(home.fold_run("contrastive"), seconds=300.0)["outcome"] == "completed"
