"""`work`: its options, and what ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from realitycheck import verbs
from realitycheck.cli import main as cli
from realitycheck.verbs import StudyResult

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGALRM)
LEFT = "Left before the end. Finished runs are recorded, others keep their checkpoints; `work` again.\n"


def stopped(word: str) -> str:
    return f"Stopped. Every finished run is recorded; `{word}` again to continue.\n"


@pytest.fixture(autouse=True)
def _signals(monkeypatch):
    """Signals as they were, afterwards; and an end of the process that a test can catch."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in SIGNALS[1:]:  # one that is ignored where the tests are started, as under `nohup`, stays ignored
        signal.signal(number, signal.SIG_DFL)
    monkeypatch.setattr("os._exit", sys.exit)
    yield
    for number, action in before.items():
        signal.signal(number, action)


def ended(monkeypatch, study_path, run_study, word: str, *words: str) -> int:
    monkeypatch.setattr(verbs, "load_study", verbs.report_study.__globals__["open_study"])
    monkeypatch.setattr(verbs, "run_study", run_study)
    monkeypatch.setattr("sys.argv", ["realitycheck", word, str(study_path), *words])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return end.value.code


def test_options_of_work_arrive(monkeypatch, study_path):
    given = {}

    def run_study(read, **knobs):
        given.update(knobs)
        return StudyResult((), (), ())

    words = ("--workers", "3", "--device", "cpu", "--deadline", "2", "--checkpoint-every", "30s", "--until", "1h")
    words += ("--graphs", "--memory", "2", "--reuse", str(study_path.parent))
    assert ended(monkeypatch, study_path, run_study, "work", *words) == 0
    names = ("workers", "device", "deadline", "checkpoint_seconds", "graphs", "memory", "reuse", "again")
    assert [given[name] for name in names] == [3, "cpu", 120.0, 30.0, True, 2e9, [study_path.parent], False]
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("words", "expected"), [((), (1, None)), (("--per-device", "2", "--device", "cuda:0,cuda:1"), (None, 2))]
)
def test_jobs_at_a_time_of_a_worker(monkeypatch, study_path, words, expected):
    given = {}

    def run_study(read, **knobs):
        given.update(knobs)
        return StudyResult((), (), ())

    assert ended(monkeypatch, study_path, run_study, "work", "--again", *words) == 0
    assert (given["workers"], given["per_device"]) == expected
    assert given["again"] is True


@pytest.mark.parametrize(
    ("word", "number", "code", "says"),
    [
        ("work", signal.SIGTERM, 75, LEFT),
        ("work", signal.SIGUSR1, 75, LEFT),
        ("work", signal.SIGHUP, 129, stopped("work")),
        ("work", signal.SIGINT, 130, stopped("work")),
        ("run", signal.SIGTERM, 143, stopped("run")),
        ("run", signal.SIGHUP, 129, stopped("run")),
    ],
)
def test_a_signal_ends_it_in_one_line_after_the_children(monkeypatch, study_path, capfd, word, number, code, says):
    cleaned = []

    def run_study(read, **knobs):
        try:
            signal.raise_signal(number)
        finally:
            signal.raise_signal(signal.SIGTERM)  # schedulers repeat it; the clean end goes its way
            cleaned.append(True)

    assert ended(monkeypatch, study_path, run_study, word) == code
    assert cleaned == [True]
    assert capfd.readouterr().err == says


@pytest.mark.parametrize(("word", "number", "code"), [("work", signal.SIGUSR1, 75), ("work", signal.SIGTERM, 75)])
def test_a_signal_before_the_study_is_loaded(monkeypatch, study_path, capfd, word, number, code):
    """While the command reads its arguments, `main` has set its signals, and `work` has not."""
    monkeypatch.setattr(verbs, "seconds_until", lambda text, now: signal.raise_signal(number))
    assert ended(monkeypatch, study_path, lambda read, **knobs: StudyResult((), (), ()), word, "--until", "1h") == code
    assert capfd.readouterr().err == LEFT


@pytest.mark.parametrize(
    ("word", "number", "code"),
    [
        ("work", signal.SIGUSR1, 75),
        ("work", signal.SIGTERM, 75),
        ("run", signal.SIGTERM, 143),
        ("run", signal.SIGUSR1, -signal.SIGUSR1),
    ],
)
def test_a_signal_while_libraries_are_imported(tmp_path, word, number, code):
    """The first of them sends it, in place of a scheduler."""
    (tmp_path / "typer.py").write_text(f"import signal\nsignal.raise_signal({int(number)})\n")
    path = os.pathsep.join([str(tmp_path), str(Path(cli.__file__).parents[2])])
    line = [sys.executable, "-m", "realitycheck", word, "none.yaml"]
    ended = subprocess.run(line, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert ended.returncode == code
    assert "Traceback" not in ended.stderr
    assert ended.stderr == (LEFT if code == 75 else stopped("run") if code == 143 else "")


def test_it_leaves_at_its_limit(monkeypatch, study_path, capfd):
    assert ended(monkeypatch, study_path, lambda read, **knobs: time.sleep(600), "work", "--until", "0.1s") == 75
    assert capfd.readouterr().err == LEFT


def test_under_nohup_the_end_of_the_terminal_does_not_end_it(monkeypatch, study_path):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def run_study(read, **knobs):
        signal.raise_signal(signal.SIGHUP)
        return StudyResult((), (), ())

    assert ended(monkeypatch, study_path, run_study, "work") == 0


def test_a_time_that_is_none_is_bad_input(monkeypatch, study_path, capfd):
    assert ended(monkeypatch, study_path, lambda read, **knobs: StudyResult((), (), ()), "work", "--until", "5:99") == 2
    assert "until-invalid" in capfd.readouterr().err
