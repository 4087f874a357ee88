"""One slot on a node: it receives files and does one job at a time in a child process, as `LocalExecutor` does.

It computes nothing itself, so no job can end or block it. Everything that it is asked returns soon.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

from realitycheck.arithmetic import cpu_model
from realitycheck.executors.base import Job
from realitycheck.executors.freight import located
from realitycheck.executors.local import LocalExecutor
from realitycheck.executors.node_files import NodeFiles, default_root, new_files
from realitycheck.executors.process_groups import memory_share
from realitycheck.runs import RESULTS_VERSION, Body

SHOWN = 64 * 1024
"""Bytes of output that wait for the next answer; what a job prints beyond is dropped."""

_GPUS = Path("/proc/driver/nvidia/gpus")


class NodeHost:
    """What runs on a node.

    Args:
        device: what each job gets in the place of its payload, or None.
        deadline: as in `LocalExecutor`.
        memory: as in `LocalExecutor`; None for an equal share of this node's memory.
        preload: as in `LocalExecutor`.
        pins: as in `LocalExecutor`.
        code: file → content of the modules that a study brings along.
        root: folder of the node's files; None for the usual one.
        node: the name of the node.
        jobs: how many jobs at a time there is room for on it.
    """

    def __init__(
        self,
        *,
        device: str | None,
        deadline: float,
        memory: int | None,
        preload: tuple[str, ...],
        pins: Mapping[str, str],
        code: Mapping[str, bytes],
        root: str | None,
        node: str,
        jobs: int,
    ) -> None:
        self._files = NodeFiles(Path(root) if root else default_root())
        self._settings: dict[str, Any] = {"deadline": deadline, "preload": preload, "pins": pins}
        self._memory = memory_share(jobs=jobs) if memory is None else memory
        self._node, self._device, self._code = node, device, code
        self._executor: LocalExecutor | None = None
        self._folder = Path()
        self._versions: dict[str, tuple[int, int]] = {}
        self._inputs: tuple[str, ...] = ()
        self._answer: Body | None = None
        self._printed = b""
        self._sending: tuple[BinaryIO, Any] | None = None

    def open(self) -> Body:
        """Get ready, and return what this node is, for the coordinator to compare and to note."""
        sys.path.insert(0, str(self._files.write_code(self._code)))  # children get the path of this process
        self._executor = LocalExecutor(devices=[self._device], memory=self._memory, show=self._show, **self._settings)
        return {
            "node": self._node,
            "machine": _machine(),
            "realitycheck": version("realitycheck"),
            "results_version": RESULTS_VERSION,
        }

    def state_of(self, sha256: str, size: int, *, kept: bool) -> str:
        """As `NodeFiles.state_of`."""
        return self._files.state_of(sha256, size, kept=kept)

    def receive(self, sha256: str, chunk: bytes, *, kept: bool, first: bool, last: bool) -> None:
        """As `NodeFiles.receive`."""
        self._files.receive(sha256, chunk, kept=kept, first=first, last=last)

    def rest(self, seconds: float) -> None:
        """Do nothing for a moment."""
        time.sleep(seconds)

    def start(self, job: Job, *, address: str, links: Mapping[str, tuple[str, bool]]) -> None:
        """Start a job, whose files have arrived.

        Args:
            job: its payload is that of `Freight`.
            address: as in `Executor.submit`.
            links: as in `NodeFiles.lay_out`.
        """
        assert self._executor is not None
        self._folder = self._files.lay_out(links)
        self._versions = dict(new_files(self._folder, {}))
        self._inputs = tuple(place for place, (_, kept) in links.items() if not kept)
        payload = located(job.payload, self._folder)
        self._executor.submit(Job(job.kind, job.id, job.group, job.title, payload), address=address)

    def poll(self, seconds: float) -> Body:
        """Return what is new after at most this number of seconds.

        Returns:
            `printed`, `advance` (done, total, seconds) or None, `file` (place of a new file, to be fetched by `send`)
            or None, and if there is none `answer` or None: what `Finished` has beside the job, and `gone`, the files
            sent for this job alone that it has set aside.
        """
        assert self._executor is not None
        if self._answer is None:
            for finished in self._executor.wait(seconds=seconds):
                gone = [place for place in self._inputs if not (self._folder / place).exists()]
                self._answer = {
                    "body": finished.body,
                    "failure": finished.failure,
                    "seconds": finished.seconds,
                    "steps": finished.steps,
                    "traceback": finished.traceback,
                    "storage": finished.storage,
                    "gone": gone,
                }
        advance = next(iter(self._executor.advances.values()), None)
        file = next(new_files(self._folder, self._versions), None)
        said = {
            "printed": self._printed,
            "advance": (advance.done, advance.total, advance.seconds) if advance else None,
            "file": file[0] if file else None,
            "answer": None if file else self._answer,
        }
        self._printed = b""
        if said["answer"] is not None:
            self._files.forget_job(self._folder)
            self._answer, self._folder = None, Path()
        return said

    def send(self, place: str, *, size: int) -> tuple[bytes, str | None]:
        """Return the next bytes of a file of the job, and after the last ones its SHA-256.

        A file that is replaced meanwhile is sent as it was, and is new again afterwards.
        """
        if self._sending is None:
            path = self._folder / place
            stat = path.stat()
            self._versions[place] = (stat.st_ino, stat.st_mtime_ns)
            self._sending = (path.open("rb"), hashlib.sha256())
        file, sha = self._sending
        chunk = file.read(size)
        sha.update(chunk)
        if len(chunk) == size:
            return chunk, None
        file.close()
        self._sending = None
        return chunk, sha.hexdigest()

    def close(self) -> None:
        """End the job, and delete what belongs to this slot alone."""
        if self._executor is not None:
            self._executor.close()
        self._files.close()

    def _show(self, chunk: bytes) -> None:
        self._printed = (self._printed + chunk)[:SHOWN]


def _machine() -> str:
    """Return what can change the last bits of a result; the library of a GPU would hold memory of it."""
    models = []
    for file in sorted(_GPUS.glob("*/information")):
        models += [
            line.partition(":")[2].strip() for line in file.read_text().splitlines() if line.startswith("Model:")
        ]
    return ", ".join([*dict.fromkeys(models), cpu_model(), f"torch {version('torch')}"])
