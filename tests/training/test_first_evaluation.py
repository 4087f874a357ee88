"""Iteration 0 as a checkpoint: selected or not, counted in the patience, and never a trial's value."""

from __future__ import annotations

from dataclasses import asdict
from types import SimpleNamespace

import pytest
import torch
from small_study import PROTOCOL, STUDY, write_study

from realitycheck import verbs
from realitycheck.executors.base import unheard
from realitycheck.plan.specs import DatasetPlan
from realitycheck.records.evidence import Trial
from realitycheck.records.from_json import read_record
from realitycheck.runs import TrainingPlace
from realitycheck.training import course, single_run
from realitycheck.training.assemble import assemble
from realitycheck.training.checkpoint import load_weights

SELECTABLE = PROTOCOL.replace("epoch: 10\n", "epoch: 10\nfirst_evaluation: selectable\n")
TWO_PHASES = SELECTABLE.replace(
    "patience: 2}]", "patience: 2}, {name: followup, cap: 20, evaluate_every: 10, patience: 1}]"
).replace("shared: {}", "shared: {followup_trunk_lr_scale: 0.1, followup_embedder_lr_scale: 0.5}")
KNOBS = {"temperature": 0.1, "loss_lr": 1e-2}
PAIRS = STUDY.replace(", normalized_softmax: {}", "")
PAIR_KNOBS = {"margin": 0.2, "followup_trunk_lr_scale": 0.1, "followup_embedder_lr_scale": 0.5}


def plan_of(home, protocol, study=STUDY):
    read = verbs.load_study(write_study(home, protocol=protocol, study=study))
    (stores,) = verbs.prepare_data(read).values()
    plan = DatasetPlan(study=read.study, dataset="pictures", data=stores.trainval_digest, test=None)
    return plan, TrainingPlace(str(stores.trainval), str(stores.trainval.parent), "cpu", None)


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """Train a fold run of the last loss whose validations are these values; the record, first and last weights."""

    def train(protocol, values, study=STUDY, knobs=KNOBS):
        plan, place = plan_of(tmp_path, protocol, study)
        (search,) = plan.losses[-1].searches
        spec = search.replicate_runs(index=0, knobs=knobs)[0]
        script = iter(values)
        scored = lambda *_, **__: SimpleNamespace(map_at_r=next(script), r_precision=0.0, precision_at_1=0.0)  # noqa: E731
        monkeypatch.setattr(course, "scores", scored)
        run = read_record(
            single_run.run({"spec": spec.to_json(), "place": asdict(place), "keep": True}, tell=unheard).body
        )
        assert next(script, None) is None
        trainer, _, _ = assemble(spec, place)
        return run, trainer.model.state_dict(), load_weights(tmp_path / place.cache, spec.id, digest=run.weights)[1]

    return train


def equal(one, other):
    return all(torch.equal(value, other[name]) for name, value in one.items())


def test_initial_weights_are_kept_where_nothing_is_better(trained):
    run, initial, kept = trained(SELECTABLE, [0.5, 0.4, 0.45])
    assert equal(initial, kept)
    assert (run.best.iteration, run.best.scores["map_at_r"]) == (0, 0.5)
    assert [(end.iterations, end.best_iteration, end.stop) for end in run.phases] == [(20, 0, "patience")]
    assert run.value == 0.45


def test_by_default_the_best_trained_checkpoint_is_kept(trained):
    run, initial, kept = trained(PROTOCOL, [0.5, 0.4, 0.45, 0.3])
    assert not equal(initial, kept)
    assert (run.best.iteration, run.value) == (20, 0.45)


def test_a_later_best_is_selected(trained):
    run, initial, kept = trained(SELECTABLE, [0.5, 0.4, 0.6, 0.55])
    assert not equal(initial, kept)
    assert (run.best.iteration, run.phases[0].best_iteration, run.value) == (20, 20, 0.6)


def test_a_second_phase_starts_from_what_the_first_selected(trained):
    run, _, _ = trained(TWO_PHASES, [0.5, 0.4, 0.45, 0.55, 0.1], PAIRS, PAIR_KNOBS)
    assert [(end.name, end.best_iteration) for end in run.phases] == [("normal", 0), ("followup", 10)]
    assert (run.best.phase, run.value) == ("followup", 0.55)


def test_iteration_0_is_no_value_of_a_trial(trained):
    run, _, _ = trained(SELECTABLE, [0.5, 0.4, 0.45])
    assert Trial(slot=0, knobs=KNOBS, source="startup", runs=(run, run)).value == 0.45


def test_a_complete_run_may_have_no_step(tmp_path, monkeypatch, trained):
    """Where every fold run selected iteration 0, the complete model is an untrained one."""
    run, _, _ = trained(SELECTABLE, [0.5, 0.4, 0.45])
    plan, place = plan_of(tmp_path, SELECTABLE)
    (search,) = plan.losses[2].searches
    spec = search.complete_run(index=0, knobs=KNOBS, fold_runs=[run, run])
    assert spec.phases == ()
    done = read_record(
        single_run.run({"spec": spec.to_json(), "place": asdict(place), "keep": True}, tell=unheard).body
    )
    assert (done.diverged, done.phases, done.best) == (False, (), None)
    trainer, _, _ = assemble(spec, place)
    assert equal(trainer.model.state_dict(), load_weights(tmp_path / place.cache, spec.id, digest=done.weights)[1])


def test_only_the_key_changes_an_id(tmp_path):
    ignored = PROTOCOL.replace("epoch: 10\n", "epoch: 10\nfirst_evaluation: ignored\n")
    plans = [plan_of(tmp_path / str(number), text)[0] for number, text in enumerate((PROTOCOL, ignored, SELECTABLE))]
    specs = [plan.losses[2].searches[0].trial_runs(slot=0, knobs=KNOBS)[0] for plan in plans]
    assert specs[0].id == specs[1].id != specs[2].id
    assert plans[0].digest == plans[1].digest != plans[2].digest
    assert specs[2].phases[0]["first_evaluation"] == "selectable"
    assert specs[0].phases[0]["first_evaluation"] == "ignored"
