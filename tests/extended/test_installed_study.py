"""A study on the unpacked wheel, outside of any checkout: planned, run and reported."""

from __future__ import annotations

from test_installed import build, facts_outside

SCRIPT = """
import json
import realitycheck

if __name__ == "__main__":
    read = realitycheck.load_study("studies/photos.yaml")
    plan = realitycheck.plan_study(read)
    result = realitycheck.run_study(read, workers=2)
    page = realitycheck.report_study(read)[0].parent / "index.html"
    print(json.dumps({"trainings": plan.trainings.total, "left": result.left, "page": page.is_file()}))
"""


def test_a_study_is_planned_run_and_reported_outside_a_checkout(tmp_path):
    """Of each of two losses: two trainings of a trial, four of two seeds, and two complete ones."""
    home = tmp_path / "home"
    home.mkdir()
    facts = facts_outside(build(tmp_path), home, SCRIPT)
    assert facts == {"trainings": 8, "left": [], "page": True}
