"""`export --parquet`: the tables of a study as Parquet files, for pandas, Polars, DuckDB and R."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from realitycheck.atomic import draft_of, publish
from realitycheck.protocol.read import ReadStudy
from realitycheck.records.ledger import Ledger
from realitycheck.verbs.export_rows import flat_tables, gathered


def export_parquet(read: ReadStudy, ledger: Ledger, folder: Path) -> Iterator[Path]:
    """Write one file per table into a folder; each is written whole or not at all."""
    arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    for table in flat_tables(gathered(read, ledger)):
        kinds = {"string": arrow.string(), "int64": arrow.int64(), "double": arrow.float64(), "bool": arrow.bool_()}
        schema = arrow.schema([(name, kinds[kind]) for name, kind in table.columns.items()])
        rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
        path = folder / f"{table.name}.parquet"
        with draft_of(path) as draft:
            parquet.write_table(arrow.Table.from_pylist(rows, schema=schema), str(draft))
            publish(draft, path)
        yield path
