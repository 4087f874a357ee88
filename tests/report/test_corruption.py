"""The table of corrupted images, of lines made by hand."""

from __future__ import annotations

from pages import findings_of

from realitycheck.report.sections.corruption import CorruptedLine, CorruptedScores, Corruption, Fall, blocks
from realitycheck.report.writers.markdown_text import markdown
from realitycheck.statistics.intervals import Interval


def test_a_score_has_the_interval_over_seeds_in_brackets(study, dataset):
    (found,) = findings_of(study, [dataset]).datasets
    wide, narrow = (Interval(0.5, 0.5 - half, 0.5 + half, 0.95, 4, "", "") for half in (0.25, 0.125))
    lines = tuple(CorruptedLine(label, 0.5, wide, narrow, Fall(-0.01, None), None, "", None) for label in found.labels)
    facts = Corruption((CorruptedScores("corrupted:gaussian-1", "gaussian", 1, lines),), ())
    assert markdown(blocks(found, facts)).count("50.00 ± 25.00 (12.50)") == len(found.labels)
