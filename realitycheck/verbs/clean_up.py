"""What `run` does before anything else: damaged evidence is set aside, and what killed processes left is removed."""

from __future__ import annotations

from collections.abc import Callable

from realitycheck.check.weight_files import FOLDER
from realitycheck.errors import Problem
from realitycheck.leftovers import sweep
from realitycheck.protocol.read import ReadStudy
from realitycheck.records.damaged import set_damaged_aside
from realitycheck.records.ledger import Ledger
from realitycheck.stores.cache import forget_checkpoint, stored_checkpoints
from realitycheck.verbs.folders import evidence_folder


def cleaned_ledger(read: ReadStudy, *, say: Callable[[Problem], None]) -> Ledger:
    """Open the ledger of a study that is about to run, without damaged records and without leftovers beside it.

    Args:
        read: the study.
        say: called with every damaged file.

    Raises:
        InputError: a record is of another results version.
        LedgerError: the packed ledger is damaged.
    """
    folder = evidence_folder(read)
    for problem in set_damaged_aside(folder):
        say(problem)
    for place in (folder, read.home / "reports" / read.study.study, read.home / FOLDER):
        sweep(place)
    ledger = Ledger(folder)
    for run_id in stored_checkpoints(folder / "cache") & ledger.records.keys():
        forget_checkpoint(folder / "cache", run_id)  # its process was killed after the record was written
    return ledger
