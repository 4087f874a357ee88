"""Code that a study names: announced, tried in a child process with a limit, and not run where it is not needed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from homes import refused
from small_study import STUDY, write_study

from realitycheck import verbs
from realitycheck.check import apart
from realitycheck.check.apart import TrialEnded, in_child

HONEST = "from torch import nn\nclass L(nn.Module):\n    def forward(self, e, y): return (e[:, 0] * y).sum()\n"
MARK = "from pathlib import Path\nPath(__file__).with_suffix('.ran').touch()\n"
LOSSES = "{contrastive: {}, triplet: {}, normalized_softmax: {}}"
NAMED = '{contrastive: {}, mine: {loss: "strange_%d:L", distance: cosine, family: pairs, space: {}}}'

_count = iter(range(1000))


def study_naming(folder: Path, code: str, *, study: str = STUDY) -> tuple[Path, Path]:
    """A study and the module that it names, whose name no other test has imported."""
    number = next(_count)
    assert LOSSES in study
    path = write_study(folder, study=study.replace(LOSSES, NAMED % number))
    module = folder / f"strange_{number}.py"
    module.write_text(code)
    return path, module


def codes(path: Path) -> list[str]:
    return [problem.code for problem in refused(verbs.load_study, path)]


@pytest.fixture(autouse=True)
def _limit(monkeypatch):
    monkeypatch.setattr(apart.apply_apart, "__kwdefaults__", {"first_apart": (), "seconds": 30.0})


def test_an_honest_class_comes_through_and_leaves_nothing_here(tmp_path):
    path, module = study_naming(tmp_path, HONEST)
    assert codes(path) == []
    assert module.stem not in sys.modules


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import sys; sys.exit(0)\n" + HONEST, "module-fails"),
        ("raise SystemExit\n", "module-fails"),
        ("import os; os._exit(0)\n", "plugin-ends"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)\n", "plugin-ends"),
        ("raise KeyboardInterrupt\n", "plugin-ends"),
        (HONEST + "    def __init__(self): import sys; sys.exit(0)\n", "plugin-ends"),
        (HONEST.replace("return", "import os; os._exit(0); return"), "plugin-ends"),
        ("def (:\n", "module-fails"),
    ],
)
def test_code_that_ends_its_process_is_a_problem_of_the_study(tmp_path, code, says):
    path, module = study_naming(tmp_path, code)
    (problem,) = refused(verbs.load_study, path)
    assert problem.code == says
    assert problem.where == "losses.mine.loss"
    assert f"{module.stem}" in problem.says


@pytest.mark.parametrize(
    "code", ["while True: pass\n", HONEST.replace("return", "\n        while True: pass\n        return")]
)
def test_code_without_an_end_is_stopped(tmp_path, monkeypatch, code):
    monkeypatch.setattr(apart.apply_apart, "__kwdefaults__", {"first_apart": (), "seconds": 2.0})
    path, _ = study_naming(tmp_path, code)
    assert codes(path) == ["plugin-ends"]


def test_what_one_class_does_hides_no_other_problem(tmp_path):
    path, _ = study_naming(tmp_path, "import os; os._exit(3)\n")
    second = '{contrastive: {}, other: {loss: "second_strange:L", distance: cosine, family: pairs, space: {x: 1}}, '
    path.write_text(path.read_text().replace("{contrastive: {}, ", second))
    (tmp_path / "second_strange.py").write_text(HONEST)
    assert sorted(codes(path)) == ["knob-unknown", "plugin-ends"]


def test_nothing_of_a_study_with_problems_is_run(tmp_path):
    path, module = study_naming(tmp_path, MARK + HONEST)
    path.write_text(path.read_text().replace("smallest_difference: ", "smallest_differenz: "))
    assert codes(path) == ["key-unknown"]
    assert verbs.named_code(path) == []
    assert not module.with_suffix(".ran").exists()


def test_what_will_run_is_named_without_running_it(tmp_path):
    path, module = study_naming(tmp_path, MARK + HONEST)
    assert verbs.named_code(path) == [f"{module.stem}:L"]
    assert not module.with_suffix(".ran").exists()


def test_the_children_of_a_trial_end_with_it(tmp_path):
    """A grandchild that keeps the end of a pipe open would keep this read waiting."""
    ours, theirs = os.pipe()

    def work(step):
        if os.fork() == 0:
            while True:
                os.read(os.pipe()[0], 1)
        os._exit(0)

    with pytest.raises(TrialEnded, match="exit code 0"):
        in_child(work, seconds=30)
    os.close(theirs)
    assert os.read(ours, 1) == b""
    os.close(ours)


def test_an_exception_of_ours_comes_through():
    def work(step):
        raise AttributeError("a fault of this package")

    with pytest.raises(AttributeError, match="of this package"):
        in_child(work, seconds=30)


DATASET = """
import numpy as np
from realitycheck.datasets.base import Dataset
class D(Dataset):
    credit: str = "Pictures of " "nobody."
"""


def test_the_line_of_attribution_is_read_and_not_run(tmp_path, monkeypatch):
    from realitycheck.catalog import credit

    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "strange_data.py").write_text(MARK + DATASET)
    assert credit("strange_data:D") == "Pictures of nobody."
    assert credit("strange_data:E") == credit("no_such_module:E") == ""
    assert not (tmp_path / "strange_data.ran").exists()


def test_status_report_and_pack_run_nothing(tmp_path):
    """The study of another person: its class would leave a mark when it is imported."""
    path, module = study_naming(tmp_path, MARK + HONEST)
    verbs.study_standings(path)
    verbs.report_study(path)
    verbs.pack_study(path)
    assert not module.with_suffix(".ran").exists()


OWN = "from torch import nn\nclass L(nn.Module):\n    %s\n    def forward(self, e, y): return (e[:, 0] * y).sum()\n"


@pytest.mark.parametrize(
    ("member", "code"),
    [
        ("def __init__(self, margin=0.1): self.margin = margin", "loss-build"),  # without super().__init__()
        ("def __getattr__(self, name): return 1", "plugin-ends"),
        ("needs = ('pixels',)", "plugin-ends"),
        ("lengths = [1]", "plugin-ends"),
        ("lower_in_followup = 5", "plugin-ends"),
        ("__init__ = property(lambda self: 1 / 0)", "plugin-ends"),
    ],
)
def test_a_class_that_breaks_what_reads_it_is_a_problem_of_the_study(tmp_path, member, code):
    path, _ = study_naming(tmp_path, OWN % member)
    (problem,) = refused(verbs.load_study, path)
    assert (problem.where, problem.code) == ("losses.mine.loss", code)


def test_an_exception_without_words_is_named(tmp_path):
    failing = "class X(Exception):\n    def __str__(self): raise RuntimeError('s')\n"
    path, _ = study_naming(tmp_path, failing + HONEST.replace("return", "raise X; return"))
    (problem,) = refused(verbs.load_study, path)
    assert problem.code == "loss-forward"
    assert "X" in problem.says


def test_a_class_is_not_blamed_for_an_error_of_ours(tmp_path, monkeypatch):
    def fails(self, rules):
        raise ZeroDivisionError("ours")

    path, _ = study_naming(tmp_path, HONEST)
    monkeypatch.setattr(apart.Inspection, "apply", fails)
    with pytest.raises(ZeroDivisionError, match="ours"):
        verbs.load_study(path)
