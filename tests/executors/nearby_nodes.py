"""Nodes within this process for the tests of `RemoteExecutor`, and what their jobs do."""

from __future__ import annotations

import errno
import hashlib
import time
from dataclasses import dataclass, field
from pathlib import Path

from realitycheck.atomic import storage_errors
from realitycheck.executors.base import Job
from realitycheck.executors.node_host import NodeHost
from realitycheck.executors.remote import RemoteExecutor
from realitycheck.executors.transport import HostFailed, Transport
from realitycheck.stores.cache import checkpoint_path, publish_json, weights_path
from realitycheck.stores.integrity import file_facts

SILENT = "silent"


@dataclass(eq=False)
class Call:
    host: NodeHost
    method: str
    values: tuple
    named: dict


@dataclass
class Nearby(Transport):
    """`refuse` sees each call before it is made, and may raise or return True for silence."""

    root: Path
    refuse: object = lambda call, number: False
    calls: list[Call] = field(default_factory=list)
    ended: list[NodeHost] = field(default_factory=list)
    puts: int = 0
    left: bool = False
    deadline: float = 60.0
    preload: tuple[str, ...] = ()

    def start(self, *, device):
        settings = {"deadline": self.deadline, "memory": None, "preload": self.preload, "pins": {}, "code": {}}
        return NodeHost(device=device, root=str(self.root), node="here", jobs=1, **settings)

    def call(self, host, method, *values, **named):
        self.calls.append(Call(host, method, values, named))
        return self.calls[-1]

    def done(self, calls, *, seconds):
        return [call for call in calls if not self.silent(call)]

    def silent(self, call):
        return self.refuse is SILENT and call.method == "poll"

    def result(self, call):
        if callable(self.refuse):
            self.refuse(call, len(self.calls))
        try:
            return getattr(call.host, call.method)(*call.values, **call.named)
        except Exception as error:
            raise HostFailed(f"{type(error).__name__}: {error}") from error

    def put(self, chunk):
        self.puts += 1
        return chunk

    def end(self, host):
        self.ended.append(host)
        host.close()

    def close(self):
        self.left = True


def executor_over(transport, *, slots=1):
    return RemoteExecutor(transport, devices=[None] * slots, show=lambda chunk: None)


def store(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".npy").write_bytes(content)
    publish_json(path.with_suffix(".json"), file_facts(len(content), hashlib.sha256(content).hexdigest()))
    return path


def job_at(tmp_path: Path, name: str = "a", **payload) -> Job:
    store(tmp_path / "home" / "trainval", b"pixels" * 1000)
    place = {
        "trainval": str(tmp_path / "home" / "trainval"),
        "cache": str(tmp_path / "home" / "cache"),
        "device": "cpu",
    }
    return Job("run", name, "group", name, {"place": place, **payload})


def finish(executor, count=1):
    found, end = [], time.monotonic() + 60
    while len(found) < count and time.monotonic() < end:
        found += executor.wait(seconds=1.0)
    assert len(found) == count
    return found if count > 1 else found[0]


def read(payload, *, tell):
    """The bytes of the store, and where they were."""
    path = Path(payload["place"]["trainval"] + ".npy")
    return {"read": path.read_bytes().decode(), "path": str(path)}


def keep(payload, *, tell):
    """Write weights and a checkpoint, as a run does, and a draft."""
    for path in (weights_path, checkpoint_path):
        file = path(Path(payload["place"]["cache"]), "a")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(path.__name__)
        (file.parent / ".draft").write_text("half")
    return {}


def resume(payload, *, tell):
    """Read the checkpoint, and set it aside as a damaged one."""
    path = checkpoint_path(Path(payload["place"]["cache"]), "a")
    text = path.read_text()
    path.rename(path.with_name(f"{path.name}.damaged-12345678"))
    raise OSError(f"damaged: {text}")


def checkpoint(payload, *, tell):
    """Write one file where checkpoints are."""
    file = checkpoint_path(Path(payload["place"]["cache"]), "a").with_name(payload["file"])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("a checkpoint")
    return {}


def overfill(payload, *, tell):
    with storage_errors(Path("/node/weights")):
        raise OSError(errno.ENOSPC, "No space left on device")
