"""What the command line exits with."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys

import pytest
import typer

from realitycheck import verbs
from realitycheck.cli import main as cli
from realitycheck.cli.signals import STOPS
from realitycheck.errors import InputError, LedgerError, Problem
from realitycheck.verbs import StudyResult


@pytest.fixture(autouse=True)
def _ctrl_c(monkeypatch):
    """Signals as they were, afterwards; and an end of the process that a test can catch."""
    before = {number: signal.getsignal(number) for number in STOPS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr("os._exit", sys.exit)
    yield
    for number, action in before.items():
        signal.signal(number, action)


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
        (StudyResult((), (), (), ("Traceback (most recent call last): …",)), 0),
        (KeyboardInterrupt(), 130),
        (InputError("x.yaml", [Problem(3, "a", "unknown a.", "key-unknown")]), 2),
        (LedgerError("damaged"), 1),
        (OSError(errno.ENOSPC, "", "studies/x/cache/a"), 1),
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


KEPT = "Stopped. Every finished run is recorded; `run` again to continue.\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["chekc", "x.yaml"], "Did you mean 'check'? See `realitycheck --help`."),
        (["run", "x.yaml", "--workers", "0"], "See `realitycheck run --help`."),
        (["run", "x.yaml", "--memory", "inf"], "See `realitycheck run --help`."),
    ],
)
def test_a_usage_error_names_the_help_of_its_command(monkeypatch, capfd, words, says):
    assert exit_code(monkeypatch, *words) == 2
    assert says in capfd.readouterr().err


def test_ctrl_c_in_a_run_is_one_line(monkeypatch, study_path, capfd):
    """The run is told by an exception, for its children must be ended."""
    monkeypatch.setattr(verbs, "load_study", verbs.report_study.__globals__["open_study"])
    monkeypatch.setattr(verbs, "run_study", lambda read, **knobs: signal.raise_signal(signal.SIGINT))
    assert exit_code(monkeypatch, "run", str(study_path)) == 130
    assert capfd.readouterr().err == KEPT


@pytest.mark.parametrize(("word", "told"), [("check", "Stopped.\n"), ("status", "Stopped.\n"), ("run", KEPT)])
def test_ctrl_c_before_anything_runs_is_one_line(monkeypatch, word, told, capfd):
    for verb in ("check_study", "load_study", "open_study"):
        monkeypatch.setattr(verbs, verb, lambda study, **knobs: signal.raise_signal(signal.SIGINT))
    assert exit_code(monkeypatch, word, "x.yaml") == 130
    assert capfd.readouterr().err == told


@pytest.mark.parametrize(("word", "told"), [("status", "Stopped.\n"), ("run", KEPT)])
def test_ctrl_c_while_our_imports_load_is_one_line(tmp_path, word, told):
    """One that is swallowed on its way: raised, it would be lost."""
    swallows = "import signal\ntry:\n    signal.raise_signal(signal.SIGINT)\nexcept BaseException:\n    pass\n"
    (tmp_path / "typer.py").write_text(swallows)
    code = (
        f"import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); sys.argv[1:] = ['{word}'];"
        f"sys.path.insert(0, {str(tmp_path)!r}); import realitycheck.cli.main"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, told)


def test_without_a_word_the_help_is_told_and_no_error(monkeypatch, capfd):
    assert exit_code(monkeypatch) == 2
    told = capfd.readouterr()
    assert "check" in told.out
    assert told.err == ""


def test_one_loss_is_too_few_for_check_as_for_plan(monkeypatch, study_path, capfd):
    text = study_path.read_text()
    losses = "losses: {contrastive: {}, triplet: {}, normalized_softmax: {}}"
    assert losses in text
    study_path.write_text(text.replace(losses, "losses: {contrastive: {}}"))
    says = "line 6  losses: missing loss; "
    for verb in ("check", "plan"):
        assert exit_code(monkeypatch, verb, str(study_path)) == 2
        assert says in capfd.readouterr().err


def test_a_right_study_is_told_so(monkeypatch, study_path, capfd):
    assert exit_code(monkeypatch, "check", str(study_path)) == 0
    assert "small.yaml is valid: 3 losses under protocol tiny." in capfd.readouterr().out


def ended(monkeypatch, study_path, run_study, *words: str) -> int:
    monkeypatch.setattr(verbs, "load_study", verbs.report_study.__globals__["open_study"])
    monkeypatch.setattr(verbs, "run_study", run_study)
    return exit_code(monkeypatch, "run", str(study_path), *words)


def test_options_of_run_arrive(monkeypatch, study_path):
    given = {}

    def run_study(read, **knobs):
        given.update(knobs)
        return StudyResult((), (), ())

    words = ("--executor", "inline", "--workers", "3", "--device", "cpu", "--deadline", "2")
    assert ended(monkeypatch, study_path, run_study, *words) == 0
    assert [given[name] for name in ("executor", "workers", "device", "deadline")] == ["inline", 3, "cpu", 120.0]


def test_the_traceback_of_a_loss_is_shown_whole(monkeypatch, study_path, capfd):
    """Square brackets are no markup, and a long line is not broken."""
    traceback = f"Traceback (most recent call last):\n  [bold]{'x' * 200}[/bold]\nValueError: no loss"
    assert ended(monkeypatch, study_path, lambda read, **_: StudyResult((), (), (), (traceback,))) == 0
    assert traceback in capfd.readouterr().err


def test_a_full_disk_is_one_sentence(monkeypatch, study_path, capfd):
    def run_study(read, **knobs):
        raise OSError(errno.ENOSPC, "", "studies/x/cache/a")

    assert ended(monkeypatch, study_path, run_study) == 1
    assert capfd.readouterr().err == "studies/x/cache/a: No space left on device. Free some space.\n"


def test_an_error_that_is_no_state_of_the_machine_keeps_its_traceback(monkeypatch, study_path):
    def run_study(read, **knobs):
        raise FileNotFoundError(errno.ENOENT, "", "a")

    with pytest.raises(FileNotFoundError):
        monkeypatch.setattr("sys.argv", ["realitycheck", "run", str(study_path)])
        monkeypatch.setattr(verbs, "load_study", verbs.report_study.__globals__["open_study"])
        monkeypatch.setattr(verbs, "run_study", run_study)
        cli.main()


def test_a_list_in_a_pipe_has_whole_words(monkeypatch, capsys):
    assert exit_code(monkeypatch, "catalog", "losses") == 0
    assert "threshold_consistent_margin" in (text := capsys.readouterr().out)
    assert "neg_margin" in text


def test_a_machine_is_described_without_a_study(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    assert exit_code(monkeypatch, "doctor") == 0
    assert "Arithmetic" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [("--classes", "1000000000"), ("--set", "scale=nan"), ("--set", "scale=1e999"), ("--set", "scale")]
)
def test_a_picture_without_an_end_is_refused(monkeypatch, words, tmp_path):
    assert exit_code(monkeypatch, "picture", "arcface", *words, "--to", str(tmp_path)) == 2
    assert list(tmp_path.iterdir()) == []
