"""The short form of a warning, as a note of a LaTeX table has it, and the documentation of each code."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from realitycheck.report import ranking_warnings, study_warnings
from realitycheck.report.warning_records import About, StudyWarning


def test_a_note_counts_what_would_be_a_long_list():
    searches = [About(label, number, {knob: 1.0}) for label in "ab" for number in (0, 1) for knob in ("margin", "lr")]
    long = StudyWarning("optimum-on-bound", tuple(searches), "Chosen values on a bound: a (margin); a (lr); and so on.")
    assert long.brief == "Chosen values on a bound: 4 searches of 2 losses."
    assert replace(long, about=tuple(searches[:3])).brief == long.sentence
    ranking = StudyWarning("validation-does-not-predict", (About(None, None),), "Validation does not predict: 0.1.")
    assert ranking.brief == ranking.sentence


def test_the_documentation_lists_every_code():
    modules = (study_warnings, ranking_warnings)
    source = "".join(Path(one.__file__).read_text() for one in modules)
    docs = (Path(study_warnings.__file__).parents[2] / "docs" / "statistics.md").read_text()
    codes = set(re.findall(r'"([a-z]+(?:-[a-z0-9]+)+)"', source))
    assert len(codes) == 14
    assert codes == set(re.findall(r"^\| `([a-z0-9-]+)` \|", docs.split("## Warnings")[1].split("\n## ")[0], re.M))
