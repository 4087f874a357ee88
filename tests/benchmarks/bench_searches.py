"""What makes the luck of a search, and what reduces it: many independent searches of one loss, cell by cell.

    python tests/benchmarks/bench_searches.py run --work FOLDER --data FOLDER
    python tests/benchmarks/bench_searches.py pack --work FOLDER --data FOLDER
    python tests/benchmarks/bench_searches.py report

`run` carries out the cells of `search_cells.ORDER` one after the other, with studies of the library itself. It resumes
where it was stopped, also from the ledgers of docs/measured/searches. Ctrl-C loses at most the trainings at work.
`pack` puts all ledgers there, finished or not, and `run` does so after each budget of a cell. `report` writes the
table, the JSON and the figures from the packed ledgers alone.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

from search_cells import CELLS, ORDER, ROOT, SURFACES, Budget, Cell, write_files

OUT = ROOT / "docs" / "measured" / "searches"
PACKED = ("ledger.jsonl.gz", "attempts.jsonl.gz")


def main() -> None:
    """Run a command, pinned to the arithmetic of the protocols."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("run", "pack", "report"))
    parser.add_argument("--work", type=Path, help="folder of the studies, outside the checkout")
    parser.add_argument("--data", type=Path, help="folder with the folders of the datasets")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the packed ledgers, tables and figures")
    parser.add_argument("--only", default="", help="only cells whose name contains this")
    parser.add_argument("--workers", type=int, default=1, help="trainings at a time")
    given = parser.parse_args()
    if given.command == "report":
        from search_tables import write_all

        write_all(given.out)
        return
    if given.work is None or given.data is None:
        parser.error("--work and --data are required")
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell starts background jobs with SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    try:
        {"run": run_all, "pack": pack_all}[given.command](given)
    except KeyboardInterrupt:
        print("stopped; run again to continue", flush=True)
        os._exit(130)


def run_all(given: Any) -> None:
    """Carry out what is left, cell by cell."""
    for cell, budget in ORDER:
        if given.only in cell.name:
            run_cell(cell, budget, given)


def run_cell(cell: Cell, budget: Budget, given: Any) -> None:
    """Carry out one cell under one budget, and pack its ledger."""
    from realitycheck import verbs

    restore(cell, given)
    study = write_files(given.work, cell, budget)
    started, before = time.time(), None
    print(f"{time.strftime('%H:%M:%S')} {cell.name}, {budget.trials} trials", flush=True)

    def watch(standings: Any, running: Any) -> None:
        nonlocal before
        done, planned = sum(one.done for one in standings), sum(one.planned for one in standings)
        if before is None or done >= before + 50:
            before = done
            print(f"{time.strftime('%H:%M:%S')}   {done} of {planned} trainings", flush=True)

    result = verbs.run_study(
        verbs.load_study(study), workers=given.workers, reuse=sharing(cell, given), watch=watch, say=print
    )
    pack(cell, given)
    print(f"{time.strftime('%H:%M:%S')}   {time.time() - started:.0f} s", *result.left, *result.alarms, flush=True)


def restore(cell: Cell, given: Any) -> None:
    """Give a cell the packed ledger of an earlier sitting, and the stores that all cells of a surface share."""
    folder = given.work / "studies" / cell.name
    for name in PACKED:
        if (given.out / cell.name / name).exists() and not (folder / name).exists():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(given.out / cell.name / name, folder / name)
    if not (data := given.work / "data").exists():
        data.symlink_to(given.data.absolute(), target_is_directory=True)
    stores, shared = folder / "cache" / "stores", given.work.absolute() / "stores" / cell.surface
    if not stores.exists():
        shared.mkdir(parents=True, exist_ok=True)
        stores.parent.mkdir(parents=True, exist_ok=True)
        stores.symlink_to(shared, target_is_directory=True)


def sharing(cell: Cell, given: Any) -> list[Path]:
    """The folders of cells that hold runs of this one: untrained models of the surface, start-up trials of the loss."""
    first = next(other for other in CELLS if SURFACES[other.surface] == SURFACES[cell.surface])
    others = (other for other in CELLS if other == first or (other.surface, other.loss) == (cell.surface, cell.loss))
    folders = [given.work / "studies" / other.name for other in others if other != cell]
    return [one for one in folders if (one / "ledger.jsonl.gz").exists() or any((one / "ledger").glob("run/*.json"))]


def pack_all(given: Any) -> None:
    """Pack every ledger in the work folder."""
    for cell in CELLS:
        if (given.work / "studies" / f"{cell.name}.yaml").exists():
            print(f"{pack(cell, given)}")


def pack(cell: Cell, given: Any) -> Path:
    """Pack a ledger, and copy it to where it is committed."""
    from realitycheck import verbs

    packed = verbs.pack_study(given.work / "studies" / f"{cell.name}.yaml")
    target = given.out / cell.name
    target.mkdir(parents=True, exist_ok=True)
    for name in PACKED:
        if (packed.parent / name).exists():
            shutil.copyfile(packed.parent / name, target / name)
    return target / packed.name


if __name__ == "__main__":
    sys.exit(main())
