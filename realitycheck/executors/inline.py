"""One job at a time in this very process: a debugger and `print` work in a loss as anywhere else."""

from __future__ import annotations

import importlib
import json
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress

from threadpoolctl import threadpool_limits

from realitycheck.executors.base import Advance, Executor, Finished, Job, on_device
from realitycheck.executors.call import call, finished
from realitycheck.executors.usual_settings import usual_settings


class InlineExecutor(Executor):
    """Run jobs in the caller's process, each when it is waited for.

    A job that hangs or kills its process hangs or kills the study: meant for looking for a fault, not for long studies.

    Args:
        device: what each job gets in the place of its payload, or None to leave the place as it is.
    """

    def __init__(self, *, device: str | None) -> None:
        self.device = device
        self._waiting: deque[tuple[Job, str]] = deque()
        self._advances: dict[str, Advance] = {}

    @property
    def free(self) -> int:
        """One, until a job is submitted."""
        return 1 - len(self._waiting)

    def submit(self, job: Job, *, address: str) -> None:
        """Keep the job until it is waited for."""
        self._waiting.append((job, address))

    def wait(self, *, seconds: float) -> Sequence[Finished]:
        """Carry out the job that was submitted, however long it takes; without one, return nothing."""
        if not self._waiting:
            return []
        job, address = self._waiting.popleft()
        payload, start = json.dumps(on_device(job.payload, self.device)), time.monotonic()

        def tell(done: int, total: int) -> None:
            self._advances[job.id] = Advance(done, total, time.monotonic() - start)

        with suppress(Exception):  # only libraries that are loaded can be limited; `call` says what is wrong
            importlib.import_module(address.partition(":")[0])
        # As in child processes: sums keep their order, and nothing that was set before changes them.
        with usual_settings(), threadpool_limits(limits=1):
            answer = call(address, payload, tell=tell)
        self._advances.pop(job.id, None)
        return [finished(job, answer, seconds=time.monotonic() - start)]

    @property
    def advances(self) -> Mapping[str, Advance]:
        """How far the job is that is being carried out."""
        return dict(self._advances)

    def close(self) -> None:
        """Forget the job that was not carried out."""
        self._waiting.clear()
