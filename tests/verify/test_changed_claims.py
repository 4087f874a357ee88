"""A claim that was changed after the opening is said at the top of the page, and derived again."""

from __future__ import annotations

import json
import shutil

import pytest
import torch

from realitycheck import verbs


@pytest.fixture(scope="module")
def changed(finished, tmp_path_factory):
    """A finished study whose smallest difference of interest was raised after its test half had been opened."""
    home = tmp_path_factory.mktemp("changed") / "home"
    shutil.copytree(finished.parents[1], home)
    path = home / "studies" / finished.name
    text = path.read_text()
    assert "smallest_difference: 0.5" in text
    path.write_text(text.replace("smallest_difference: 0.5", "smallest_difference: 2"))
    threads = torch.get_num_threads()
    verbs.run_study(verbs.load_study(path), executor="inline", device="cpu")
    torch.set_num_threads(threads)
    verbs.report_study(path)
    return path


def test_the_page_does_not_call_it_declared(changed):
    text = (changed.parents[1] / "reports" / "small" / "tables.md").read_text()
    assert "declared beforehand" not in text
    facts = json.loads((changed.parents[1] / "reports" / "small" / "tables.json").read_text())
    (warning,) = [one for one in facts["datasets"][0]["warnings"] if one["code"] == "claims-changed"]
    assert warning["about"] == [{"label": None, "search": None, "numbers": {"claims": "smallest_difference"}}]


def test_it_is_derived_again(changed):
    assert verbs.verify_study(changed, ask=False).problems == []
    path = changed.parents[1] / "reports" / "small" / "tables.json"
    whole = path.read_text()
    facts = json.loads(whole)
    facts["datasets"][0]["warnings"] = [
        one for one in facts["datasets"][0]["warnings"] if one["code"] != "claims-changed"
    ]
    path.write_text(json.dumps(facts))
    assert verbs.verify_study(changed, ask=False).problems != []
    path.write_text(whole)


def test_a_study_as_it_was_opened_has_no_such_warning(finished, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(finished.parents[1], home)
    path = home / "studies" / finished.name
    verbs.report_study(path)
    text = (home / "reports" / "small" / "tables.md").read_text()
    assert "declared beforehand" in text
    assert "claims-changed" not in (home / "reports" / "small" / "tables.json").read_text()
