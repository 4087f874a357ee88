"""What the command line exits with."""

from __future__ import annotations

import pytest
import typer

from realitycheck import cli, verbs
from realitycheck.errors import InputError, LedgerError, Problem
from realitycheck.verbs import StudyResult


def exit_code(monkeypatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["realitycheck", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (StudyResult((), (), ()), 0),
        (StudyResult(("x: no disk",), (), ()), 1),
        (StudyResult((), ("other numbers",), ()), 1),
        (KeyboardInterrupt(), 130),
        (InputError("x.yaml", [Problem(3, "a", "must be b; got c.")]), 2),
        (LedgerError("damaged"), 1),
        (typer.Abort(), 130),
    ],
)
def test_run(monkeypatch, study_path, result, code, capsys):
    def run_study(read, **knobs):
        if isinstance(result, BaseException):
            raise result
        return result

    monkeypatch.setattr(verbs, "load_study", verbs.report_study.__globals__["open_study"])
    monkeypatch.setattr(verbs, "run_study", run_study)
    assert exit_code(monkeypatch, "run", str(study_path)) == code


@pytest.mark.parametrize(
    "words", [("nonsense",), ("check",), ("run", "x.yaml", "--workers", "0"), ("check", "no.yaml")]
)
def test_bad_words_exit_with_2(monkeypatch, words):
    assert exit_code(monkeypatch, *words) == 2
