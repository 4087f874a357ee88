"""The table of records in the documentation is that of the types."""

from __future__ import annotations

from pathlib import Path

from realitycheck.records.describe import record_fields, records_markdown
from realitycheck.records.schema import RECORDS

PAGE = Path(__file__).parents[2] / "docs" / "architecture.md"


def test_the_documentation_holds_the_table():
    """After a change of the types, paste what `records_markdown()` returns between the two marks."""
    text = PAGE.read_text(encoding="utf-8")
    assert text.partition("<!-- records: generated -->\n")[2].partition("<!-- end -->")[0] == records_markdown()


def test_every_field_of_every_kind_has_a_meaning():
    rows = list(record_fields())
    assert {kind for kind, _, _ in rows} == set(RECORDS)
    assert all(meaning for _, _, meaning in rows)
    assert ("proposal", "slot") in {(kind, name) for kind, name, _ in rows}
