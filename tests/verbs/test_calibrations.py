"""What `plan` measures of each loss, also where one cannot be measured."""

from __future__ import annotations

import pytest
from small_study import STUDY, write_study

from realitycheck import verbs
from realitycheck.cli.plan_summary import sentences
from realitycheck.errors import RunError
from realitycheck.executors.base import Finished, Job
from realitycheck.verbs import calibrations as module

LOSSES = "{contrastive: {}, triplet: {}, normalized_softmax: {}}"
NAMED = '{contrastive: {}, mine: {loss: "late_failure:L", distance: cosine, family: pairs, space: {}}}'
LATE = """
from torch import nn
class L(nn.Module):
    steps = 0
    def forward(self, e, y):
        self.steps += 1
        if self.steps > 3:
            raise ValueError("no pair")
        return (e[:, 0] * y).sum()
"""


def seen(step: float) -> dict[str, float]:
    names = ("complete_step", "evaluation", "fold_score", "complete_score", "weights_bytes")
    return {"step": step, **dict.fromkeys(names, 1)}


def finished(step: float | None) -> Finished:
    job = Job("calibration", "id", "birds", "calibration of it on birds", {})
    return (
        Finished(job, None, "Diverged: at iteration 3", 1.0) if step is None else Finished(job, seen(step), None, 1.0)
    )


def test_a_loss_that_fails_is_counted_like_the_slowest():
    measured = module._measured({"first": finished(0.1), "second": finished(None), "third": finished(0.3)})
    assert {label: one.step for label, one in measured.items()} == {"first": 0.1, "second": 0.3, "third": 0.3}


def test_where_every_loss_fails_there_is_no_plan():
    with pytest.raises(RunError):
        module._measured({"first": finished(None), "second": finished(None)})


def test_a_loss_that_raises_in_its_fourth_step_leaves_the_others_a_plan(tmp_path):
    """`check` makes two steps."""
    assert LOSSES in STUDY
    path = write_study(tmp_path, study=STUDY.replace(LOSSES, NAMED))
    (tmp_path / "late_failure.py").write_text(LATE)
    plan = verbs.plan_study(verbs.load_study(path))
    assert {name: list(losses) for name, losses in plan.failed.items()} == {"pictures": ["mine"]}
    assert "no pair" in plan.failed["pictures"]["mine"] or "ValueError" in plan.failed["pictures"]["mine"]
    assert plan.measured["pictures"]["mine"] == plan.measured["pictures"]["contrastive"]
    told = "\n".join(sentences(plan))
    assert "not measured, pictures/mine: " in told and "one run, pictures/mine: " not in told
