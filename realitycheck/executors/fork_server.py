"""The fork server of this process, and the environment that it and all its children have from their first moment."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker, util
from pathlib import Path
from typing import Any

from realitycheck.errors import RunError
from realitycheck.executors.process_groups import children_apart, kill_trees

_started: dict[int, dict[str, str]] = {}
"""Process id of a fork server that was started here → its pins."""


LONGEST = 71
"""Bytes of a folder's path in which the socket of a fork server fits: 103 on macOS, less its own folder and name."""

SHORT = ("/tmp", "/var/tmp")
"""Where the socket is if the path of the folder for temporary files is longer, as on some clusters."""


def start_server(pins: Mapping[str, str]) -> None:
    """Start a fork server with these environment variables, where none with them runs.

    One with other pins is ended, and its children with it.

    Raises:
        RunError: a server that others have started runs without the pins, or there is no folder for its socket.
    """
    _make_socket_folder()
    before = _process()
    if before in _started and _started[before] != pins:
        end_server()
    _ensure(pins)
    now = _process()
    assert now is not None
    if now != before:
        _started[now] = dict(pins)
    elif now not in _started and not _has(now, pins):
        says = "a fork server of this process was started before the study, so its children are not pinned"
        raise RunError(f"{says} to the study's arithmetic. Run the study in a process of its own.")


def end_server() -> None:
    """End the fork server at once. By itself it would do so after ours: a second later, or when it is done loading."""
    server: Any = forkserver._forkserver  # there is no public way to end it
    if server._forkserver_pid is not None:
        os.kill(server._forkserver_pid, signal.SIGKILL)
        server._stop()


def end_orphans() -> None:
    """Kill what jobs that have ended left behind in other groups than theirs, such as daemons.

    A server that was started here adopts them, see `adopting`. Its other children are jobs, and in its own group those
    that begin.
    """
    server = _process()
    if server is not None and server in _started:
        known = {process.pid for process in multiprocessing.active_children()}
        kill_trees(children_apart(server) - known)


def _make_socket_folder() -> None:
    """Let `multiprocessing` make its folder for sockets, where a socket fits."""
    given = tempfile.gettempdir()
    folder = next(
        (one for one in (given, *SHORT) if len(os.fsencode(one)) <= LONGEST and os.access(one, os.W_OK)), None
    )
    if folder is None:
        says = f"{given}: the path of the folder for temporary files is longer than {LONGEST} bytes"
        raise RunError(f"{says}, so that no socket fits in it. Set TMPDIR to a shorter one.")
    before, tempfile.tempdir = tempfile.tempdir, folder
    try:
        util.get_temp_dir()  # made once for this process, and removed at its end
    finally:
        tempfile.tempdir = before


def _ensure(pins: Mapping[str, str]) -> None:
    """Start a server where none runs, with SIGINT blocked from its first moment: it inherits our mask."""
    resource_tracker.ensure_running()  # the server's start does the same, and with it would unblock SIGINT
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with _environment(pins):
            forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _process() -> int | None:
    server: Any = forkserver._forkserver
    process: int | None = server._forkserver_pid
    return process


@contextmanager
def _environment(pins: Mapping[str, str]) -> Iterator[None]:
    """Set variables for what is started meanwhile; libraries that are loaded here do not read them again."""
    before = {name: os.environ.get(name) for name in pins}
    os.environ.update(pins)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _has(process: int, pins: Mapping[str, str]) -> bool:
    """Whether a process was started with the pins. Where the system does not show it, its children find out."""
    try:
        given = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    except OSError:
        return True
    return all(f"{name}={value}".encode() in given for name, value in pins.items())
