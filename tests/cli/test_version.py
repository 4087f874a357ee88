"""What the command line answers without a command: its version, its help and a shell's completion."""

from __future__ import annotations

from pathlib import Path

import pytest

from realitycheck import __version__
from realitycheck.cli import main as cli
from realitycheck.cli.loading import load


def answer(monkeypatch, capfd, *words: str) -> tuple[int, str]:
    monkeypatch.setattr("sys.argv", ["realitycheck", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0), capfd.readouterr().out


def test_the_version_is_that_of_the_package(monkeypatch, capfd):
    assert answer(monkeypatch, capfd, "--version") == (0, f"realitycheck {__version__}\n")


@pytest.mark.parametrize("words", [("-h",), ("run", "-h")])
def test_a_short_option_prints_the_help(monkeypatch, capfd, words):
    code, printed = answer(monkeypatch, capfd, *words)
    assert (code, "Usage: realitycheck" in printed) == (0, True)


def test_a_shell_completes_commands(monkeypatch, capfd):
    monkeypatch.setenv("_REALITYCHECK_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "realitycheck ch")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert answer(monkeypatch, capfd) == (0, "check\n")


def test_shipped_files_are_named_in_one_line(monkeypatch, capfd, tmp_path):
    (tmp_path / "studies").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli.verbs, "load_study", lambda study: study)
    load(Path("studies/demo.yaml"))
    names = "studies/demo.yaml, protocols/quick.yaml, protocols/spaces/v3.yaml"
    assert capfd.readouterr().err == f"{names}: as shipped with realitycheck {__version__}\n"
