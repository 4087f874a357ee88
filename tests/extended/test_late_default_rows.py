"""Rows of published settings that are asked for after the test half was opened."""

from __future__ import annotations

import json
from pathlib import Path

from verify.made_studies import DEFAULT_ROWS, carried_out

from realitycheck import verbs
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Opening, of_type


def tables(study: Path) -> dict:
    folder = study.parent.parent / "reports" / "small"
    return json.loads((folder / "tables.json").read_text())["datasets"][0]


def test_they_are_exploratory_and_the_rows_of_the_losses_are_not(tmp_path):
    """The claims of the first opening have no default rows; nothing is opened again, and the scores are the same."""
    protocol, study = DEFAULT_ROWS
    late = {key: value.removesuffix("\ndefault_rows: true") for key, value in study.items()}
    path = carried_out(tmp_path / "late", protocol=protocol, study=late)
    assert "defaults" not in tables(path)
    carried_out(tmp_path / "late", protocol=protocol, study=study)
    dataset = tables(path)
    assert len(list(of_type(Ledger(path.with_suffix("")).records.values(), Opening))) == 1
    assert [row["exploratory"] for row in dataset["rows"]] == [False, False]
    assert [row["exploratory"] for row in dataset["defaults"]] == [True, True]
    assert verbs.verify_study(path).problems == []
    first = tables(carried_out(tmp_path / "first", protocol=protocol, study=study))
    values = [[[cell["values"] for cell in row["cells"]] for row in one["defaults"]] for one in (dataset, first)]
    assert values[0] == values[1]
