"""What came back of a job, as a record or as a reason."""

from __future__ import annotations

from realitycheck.canonical import canonical_json
from realitycheck.errors import LedgerError
from realitycheck.executors.base import Finished, Job
from realitycheck.records.from_json import read_record
from realitycheck.records.schema import Record


def record_of(job: Job, finished: Finished) -> tuple[Record | None, str | None]:
    """Return the record that a job yielded, or None and the reason: a body that is no record of this job."""
    if finished.body is None:
        return None, finished.failure
    try:
        canonical_json(finished.body).encode()  # refuses NaN, and text that is no UTF-8
        record = read_record(finished.body)
    except (LedgerError, ValueError, TypeError) as error:
        return None, f"the answer is no record: {error}"
    if (record.kind, record.id) != (job.kind, job.id):
        return None, f"the answer is another record: {record.kind} {record.id[:16]}"
    return record, finished.failure


def frames_of(traceback: str) -> str:
    """A traceback without its last line, the message, which differs from one iteration to the next."""
    return traceback.rstrip().rpartition("\n")[0]
