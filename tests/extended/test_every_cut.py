"""A run of 40 steps is continued from a checkpoint after every one of them, for every loss with state."""

from __future__ import annotations

import shutil
from unittest import mock

import pytest
from checkpointed_runs import menu_choice, plug_in_choice, prepared
from training.test_run_checkpoints import KEPT, STATEFUL

from realitycheck.canonical import canonical_json
from realitycheck.training.run_checkpoints import RunCheckpoints

STEPS = 40
PHASES = (
    "phases: [{name: normal, cap: 24, evaluate_every: 6, patience: 9}, "
    "{name: followup, cap: 16, evaluate_every: 4, patience: 9}]"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    losses = {name: menu_choice(name) for name in (*STATEFUL, "normalized_softmax")}
    plug_ins = {name.lower(): plug_in_choice(name) for name in KEPT}
    return prepared(tmp_path_factory.mktemp("cuts"), losses | plug_ins, phases=PHASES)


@pytest.mark.parametrize("label", [*STATEFUL, "normalized_softmax", *(name.lower() for name in KEPT)])
def test_continued_after_every_step(home, tmp_path, label):
    spec, honest = home.fold_run(label), RunCheckpoints.offer

    def offer(self, state, *, evaluated):
        honest(self, state, evaluated=evaluated)
        shutil.copy(self.path, tmp_path / str(state.__self__.trainer.iteration))
        self.cost = 0.0

    with mock.patch.object(RunCheckpoints, "offer", offer):
        unbroken = canonical_json(home.run(spec, seconds=0.0))
    cuts = sorted(int(path.name) for path in tmp_path.iterdir())
    assert cuts == [*range(1, STEPS + 1)]
    for at in cuts:
        shutil.copy(tmp_path / str(at), home.path(spec))
        assert canonical_json(home.run(spec)) == unbroken, f"continued after {at} steps"
