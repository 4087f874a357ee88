"""Jobs on a Ray cluster, by Ray Core: one actor is one slot, and Ray decides on which node.

Ray retries nothing here: an actor that is lost ends its job as a failure, which the study counts. No call waits for
Ray without a limit.
"""

from __future__ import annotations

import importlib
import logging
import os
import re
import secrets
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Hashable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from realitycheck.errors import InputError, RunError
from realitycheck.executors.node_host import NodeHost
from realitycheck.executors.transport import HostFailed, HostLost, Transport

FIXED = {
    "RAY_AUTH_MODE": "token",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # jobs without a GPU keep their environment; its absence is a warning
}
"""Variables that Ray reads when it is imported; what a person has set stays."""

LOCAL = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # listen on 127.0.0.1 alone, as Ray does on macOS and Windows
    "RAY_worker_niceness": "0",  # jobs have the priority of this process
}
"""More of them for a cluster that is started here."""

GET_SECONDS = 30.0
"""Longest time for an answer to be read, after Ray has reported that it is here."""

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class RayHost(NodeHost):
    """A slot as an actor of Ray."""

    def __init__(self, *, gpus: float, **settings: Any) -> None:
        ray = _ray()
        node = ray.get_runtime_context().get_node_id()
        has: dict[str, float] = next((one["Resources"] for one in ray.nodes() if one["NodeID"] == node), {})
        jobs = has.get("GPU", 0.0) / gpus if gpus else has.get("CPU", 1.0)
        # Children would run the main module of a Ray worker again, which has nothing that they need.
        vars(sys.modules["__main__"]).pop("__file__", None)
        super().__init__(node=node, jobs=max(1, int(jobs)), **settings)


class RayTransport(Transport):
    """Reaches the nodes of a Ray cluster.

    A process that is connected to a cluster uses that one, and stays connected.

    Args:
        address: that of a cluster which runs, `auto`, or None to start one on this machine.
        slots: how many jobs at a time a cluster that is started here has room for.
        gpus: how much of a GPU each job needs; 0 for none.
        settings: what `NodeHost` is built with beside the device.

    Raises:
        InputError: Ray is not installed, or the address is that of a Ray client.
    """

    def __init__(self, *, address: str | None, slots: int, gpus: float, settings: Mapping[str, Any]) -> None:
        require_ray(address)
        self.address, self.slots, self.gpus = address, slots, gpus
        self._settings = dict(settings)
        self._actor: Any = None
        self._own = False
        self._folder: str | None = None

    def start(self, *, device: str | None) -> Any:
        """Ask for an actor; the first time, join or start the cluster.

        Raises:
            RunError: the cluster cannot be reached, or has no such node.
        """
        if self._actor is None:
            self._connect()
            options = {"num_cpus": 1, "num_gpus": self.gpus, "max_restarts": 0, "max_task_retries": 0}
            self._actor = _ray().remote(RayHost).options(**options)
        return self._actor.remote(device=device, gpus=self.gpus, **self._settings)

    def call(self, host: Any, method: str, *values: Any, **named: Any) -> Hashable:
        """Ask an actor."""
        ref: Hashable = getattr(host, method).remote(*values, **named)
        return ref

    def done(self, calls: Sequence[Hashable], *, seconds: float) -> Sequence[Hashable]:
        """Return what has been answered or lost."""
        if not calls:
            return []
        ready, rest = _ray().wait(list(calls), num_returns=1, timeout=seconds)
        if ready and rest:
            ready += _ray().wait(rest, num_returns=len(rest), timeout=0)[0]
        return list(ready)

    def result(self, call: Hashable) -> Any:
        """Return an answer."""
        ray = _ray()
        try:
            return ray.get(call, timeout=GET_SECONDS)
        except ray.exceptions.RayTaskError as error:
            raise HostFailed(_COLOURS.sub("", str(error))) from None
        except ray.exceptions.RayError as error:
            raise HostLost(" ".join(_COLOURS.sub("", str(error)).split())[:400]) from None

    def put(self, chunk: bytes) -> Any:
        """Put bytes into the object store."""
        return _ray().put(chunk)

    def end(self, host: Any) -> None:
        """Kill an actor; its child ends with it."""
        if _ray().is_initialized():
            _ray().kill(host, no_restart=True)

    def close(self) -> None:
        """Leave the cluster; one that was started here ends."""
        if self._own:
            _ray().shutdown()
        self._own, self._actor = False, None
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _connect(self) -> None:
        if "ray" not in sys.modules:  # Ray reads the environment when it is imported
            prepare_environment(local=self.address is None)
        ray = _ray()
        if not ray.is_initialized():
            self._own = True
            # Ray sets a handler of SIGTERM, which would end this process before it can say that it stopped.
            handler = signal.getsignal(signal.SIGTERM)
            try:
                ray.init(**(self._local() if self.address is None else {"address": self.address}), **_QUIET)
            except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
                raise RunError(_unreachable(self.address, error)) from error
            finally:
                if threading.current_thread() is threading.main_thread():
                    signal.signal(signal.SIGTERM, handler)
        has = ray.cluster_resources()
        if has.get("CPU", 0) < 1 or has.get("GPU", 0) < self.gpus:
            lacks = "GPU" if self.gpus else "CPU"
            raise RunError(f"the Ray cluster has no {lacks}. Start a node that has one before you `run`.")

    def _local(self) -> dict[str, Any]:
        # A folder of its own: the usual one, /tmp/ray, belongs to the first user of a machine.
        self._folder = tempfile.mkdtemp(prefix="rc-ray-")
        place = {"_temp_dir": self._folder, "_node_ip_address": "127.0.0.1"}
        return {"address": "local", "num_cpus": self.slots, "include_dashboard": False, **place}


_QUIET = {"log_to_driver": False, "configure_logging": False, "logging_level": logging.ERROR}


def require_ray(address: str | None) -> None:
    """Check what can be checked before a cluster is reached.

    Raises:
        InputError: Ray is not installed, or the address is that of a Ray client.
    """
    if find_spec("ray") is None:
        says = 'missing package: ray. Install it: `pip install "realitycheck[ray]"`, on every node of the cluster.'
        raise InputError.one("the command line", "executor-package-missing", says, where="--executor")
    if address is not None and "://" in address:
        says = f"`{address}` is not allowed here: `run` is a driver of the cluster. Start it on a node, with `auto`."
        raise InputError.one("the command line", "address-not-allowed", says, where="--address")


def prepare_environment(*, local: bool) -> None:
    """Set what Ray reads from the environment, where nothing is set: authentication by a token, no statistics."""
    for name, value in {**FIXED, **(LOCAL if local else {})}.items():
        os.environ.setdefault(name, value)
    if local and os.environ["RAY_AUTH_MODE"] == "token" and "RAY_AUTH_TOKEN_PATH" not in os.environ:
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))  # else Ray writes one into the home folder


def _ray() -> Any:
    return importlib.import_module("ray")


def _unreachable(address: str | None, error: Exception) -> str:
    reason = " ".join(_COLOURS.sub("", str(error)).split())[:300]
    if address is None:
        return f"no Ray cluster could be started on this machine: {reason}"
    fix = "Start `run` on a node of it, with the same versions of Python and Ray, and its token in RAY_AUTH_TOKEN."
    return f"the Ray cluster at {address} cannot be joined: {reason} {fix}"
