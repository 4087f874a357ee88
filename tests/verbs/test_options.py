"""Options that no file tells are refused before anything starts."""

from __future__ import annotations

import pytest
from small_study import write_study

from realitycheck import verbs
from realitycheck.errors import InputError
from realitycheck.verbs.options import duration


def test_an_unknown_executor_and_a_folder_without_records_are_told_together(tmp_path):
    read = verbs.load_study(write_study(tmp_path))
    with pytest.raises(InputError) as error:
        verbs.run_study(read, executor="lokal", reuse=[tmp_path / "nowhere"])
    assert [each.where for each in error.value.problems] == ["--executor", "--reuse"]
    assert [each.code for each in error.value.problems] == ["executor-unknown", "ledger-missing"]
    assert not (tmp_path / "studies" / "small" / "ledger").exists()


def test_records_of_another_study_are_in_a_folder_and_not_in_its_file(tmp_path):
    path = write_study(tmp_path)
    with pytest.raises(InputError) as error:
        verbs.run_study(verbs.load_study(path), reuse=[path])
    assert [(each.where, each.code) for each in error.value.problems] == [("--reuse", "ledger-missing")]


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30.0), ("5m", 300.0), ("1.5h", 5400.0), ("2 h", 7200.0)])
def test_durations(text, seconds):
    assert duration(text, option="--checkpoint-every") == seconds


@pytest.mark.parametrize("text", ["5", "m", "0s", "-5m", "5 minutes", ""])
def test_what_is_no_duration(text):
    with pytest.raises(InputError) as error:
        duration(text, option="--checkpoint-every")
    assert [(each.where, each.code) for each in error.value.problems] == [("--checkpoint-every", "duration-invalid")]
