"""A Ray cluster of one node, on the loopback interface, in processes of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLES = {
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": "0123456789abcdef" * 4,
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # the node's address is 127.0.0.1
    "RAY_worker_niceness": "0",
}
"""What the cluster and its drivers have in their environment before they import Ray."""


@contextmanager
def cluster(*, node_cache: Path, cpus: int = 2, port: int = 0) -> Iterator[str]:
    """Start a cluster and yield its address; at the end all of its processes have ended.

    Args:
        node_cache: folder of the node's files.
        cpus: how many jobs at a time it has room for.
        port: of the head; 0 for any.
    """
    with tempfile.TemporaryDirectory(prefix="rc-ray-", ignore_cleanup_errors=True) as folder:
        process = start(Path(folder), node_cache=node_cache, cpus=cpus, port=port)
        try:
            yield address_of(Path(folder), process)
        finally:
            stop(process)


def start(folder: Path, *, node_cache: Path, cpus: int = 2, port: int = 0) -> subprocess.Popen[bytes]:
    """Start the processes of a cluster, below the one that is returned."""
    here = Path(__file__).parent
    environment = os.environ | VARIABLES | {"REALITYCHECK_NODE_CACHE": str(node_cache)}
    environment["PYTHONPATH"] = os.pathsep.join([str(here), str(here.parent), *sys.path])
    words = ["start", "--head", "--node-ip-address=127.0.0.1", f"--port={port}", f"--num-cpus={cpus}", "--block"]
    words += ["--include-dashboard=false", "--disable-usage-stats", f"--temp-dir={folder}"]
    command = [sys.executable, "-m", "ray.scripts.scripts", *words]
    with (folder / "output").open("wb") as output:
        return subprocess.Popen(command, env=environment, stdout=output, stderr=output, start_new_session=True)


def address_of(folder: Path, process: subprocess.Popen[bytes]) -> str:
    """Wait until a cluster can be joined."""
    end = time.monotonic() + 120
    while b"Ray runtime started" not in (folder / "output").read_bytes():
        assert process.poll() is None and time.monotonic() < end, (folder / "output").read_text()
        time.sleep(0.1)
    return (folder / "ray_current_cluster").read_text().strip()


def stop(process: subprocess.Popen[bytes]) -> None:
    """End every process of a cluster."""
    members = family_of(process.pid)
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for member in members & running():
        os.kill(member, signal.SIGKILL)


def family_of(head: int) -> set[int]:
    """A process and all that it has started, directly or not."""
    parents = {}
    for number in running():
        try:
            parents[number] = int(Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    family = {head}
    while more := {number for number, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def running() -> set[int]:
    return {int(path.name) for path in Path("/proc").glob("[0-9]*")}
