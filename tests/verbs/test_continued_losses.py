"""A loss of a plug-in whose state no checkpoint can hold is warned of before its first run."""

from __future__ import annotations

import pytest
from checkpointed_runs import menu_choice, plug_in_choice
from small_study import PROTOCOL, STUDY, write_study

from realitycheck.protocol.read import ReadStudy, read_study
from realitycheck.verbs.continued_losses import continuing_warnings, not_continued

KEPT = ("Attributes", "Generators", "GlobalDraws", "Buffers", "Trained")
LOST = {"ClosedState": "following", "OddState": "numbers", "GlobalState": "a global of its file"}
"""Class → what its warning names."""


@pytest.fixture(scope="module")
def read(tmp_path_factory) -> ReadStudy:
    labels = {name.lower(): plug_in_choice(name) for name in (*KEPT, *LOST)}
    labels = {"triplet": menu_choice("triplet")} | {
        label: text.replace("space: {weight: 0.5, loss_lr: 0.01, followup_loss_lr_scale: 0.5}", "space: {weight: 0.5}")
        for label, text in labels.items()
    }
    losses = "".join(f"  {label}: {choice}\n" for label, choice in labels.items())
    study = STUDY.replace("losses: {contrastive: {}, triplet: {}, normalized_softmax: {}}\n", f"losses:\n{losses}")
    path = write_study(
        tmp_path_factory.mktemp("continued"),
        protocol=PROTOCOL,
        study=study.replace("line: contrastive", "line: triplet"),
    )
    return read_study(path)


@pytest.mark.parametrize("label", ["triplet", *(name.lower() for name in KEPT)])
def test_state_that_a_checkpoint_holds_is_no_warning(read, label):
    choice = next(choice for choice in read.study.losses if choice.label == label)
    assert not_continued(choice, read.study.protocol.space_of(choice, "pictures")) is None


def test_the_warning_has_the_line_of_the_loss_and_says_what_is_not_kept(read):
    found = {problem.where: problem for problem in continuing_warnings(read)}
    lines = read.path.read_text().splitlines()
    assert set(found) == {f"losses.{name.lower()}" for name in LOST}
    for name, part in LOST.items():
        problem = found[f"losses.{name.lower()}"]
        assert problem.code == "loss-not-continued" and part in problem.says
        assert lines[problem.line - 1].strip().startswith(f"{name.lower()}:")


def test_a_loss_that_fails_is_left_to_the_trial(read):
    choice = next(choice for choice in read.study.losses if choice.label == "attributes")
    assert not_continued(choice, {}) is None
