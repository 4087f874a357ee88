"""What the command takes, prints and exits with."""

from __future__ import annotations

import shutil

import pytest
from tampered import Copy

from realitycheck import verbs
from realitycheck.cli import main as cli
from realitycheck.errors import InputError


def exit_code(monkeypatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["realitycheck", "verify", *words])
    monkeypatch.setattr(cli, "on_stop", lambda act, **_: None)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code


def test_a_study_that_holds_exits_with_0_and_its_counts(reported: Copy, monkeypatch, capsys):
    assert exit_code(monkeypatch, str(reported.study), "--no-proposals") == 0
    written = capsys.readouterr()
    assert written.err == ""
    assert any(line.startswith("not checked: 4 proposals") for line in written.out.splitlines())
    assert any(line.startswith("checked: ") for line in written.out.splitlines())


def test_each_thing_that_does_not_hold_is_a_line_with_its_code(reported: Copy, tmp_path, monkeypatch, capsys):
    copy = reported.copied(tmp_path / "home")
    copy.edit_json(lambda body: body.update(seeds=7, level=0.5))
    assert exit_code(monkeypatch, str(copy.study), "--no-proposals") == 1
    lines = capsys.readouterr().err.splitlines()
    assert sum(line.endswith("[table-differs]") for line in lines) == 2


def test_a_ledger_is_enough(reported: Copy, tmp_path):
    copy = reported.copied(tmp_path / "home")
    for path in (copy.study, copy.home / "protocols", copy.report):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name in (copy.study, copy.pack, copy.pack.parent):
        checks = verbs.verify_study(name, ask=False)
        assert checks.problems == []
        assert checks.counted["records of a declared search"] > 20


def test_a_report_elsewhere_is_named(reported: Copy, tmp_path):
    moved = shutil.copytree(reported.report, tmp_path / "elsewhere")
    (moved / "tables.tex").write_text("")
    checks = verbs.verify_study(reported.study, report=moved, ask=False)
    assert {problem.code for problem in checks.problems} == {"cell-differs"}


def test_what_is_not_there_is_named(reported: Copy, tmp_path):
    for study, report, code in (
        (tmp_path / "none", None, "ledger-missing"),
        (reported.study, tmp_path / "none", "report-missing"),
    ):
        with pytest.raises(InputError) as refused:
            verbs.verify_study(study, report=report, ask=False)
        assert [problem.code for problem in refused.value.problems] == [code]


def test_an_earlier_results_version_is_only_read(reported: Copy, tmp_path):
    copy = reported.copied(tmp_path / "home")
    copy.change(lambda body: True, lambda body: body.update(results_version=1))
    checks = verbs.verify_study(copy.study, ask=False)
    assert checks.problems == []
    assert checks.counted.keys() == {"digests"}
