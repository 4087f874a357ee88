"""Verbs that poison the process that they run in, one for each way that a loss has been seen to."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path


def segfault(payload, *, tell):
    ctypes.string_at(0)


def hold_the_lock(payload, *, tell):
    """Never give the interpreter's lock away: a regular expression in C that takes for ever."""
    import re

    tell(0, 1)
    re.match(r"(a*)*b", "a" * 40)


def leave_at_once(payload, *, tell):
    os._exit(3)


def eat(payload, *, tell):
    """Take memory until stopped; an end of its own keeps a broken test from harm."""
    kept = []
    for _ in range(40):
        kept.append(b"\1" * 20_000_000)
        time.sleep(0.05)
    time.sleep(payload.get("rest", 60))


def fork(payload, *, tell):
    """Leave a process behind that outlives the job, and let a second one come back from the verb."""
    if os.fork():
        with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as left:
            Path(payload["mark"]).write_text(str(left.pid))
            left.returncode = 0  # not waited for
    return {"pid": os.getpid()}


def daemon(payload, *, tell):
    """Start a process of a session of its own whose parent has ended; then return, end at once, or hang."""
    mark = Path(payload["mark"])
    if not os.fork():
        os.setsid()
        if os.fork():
            os._exit(0)
        mark.with_suffix(".draft").write_text(str(os.getpid()))
        mark.with_suffix(".draft").rename(mark)
        held = b"x" * payload.get("holds", 0)
        time.sleep(600)
        del held
    while not mark.exists():
        time.sleep(0.01)
    if payload["then"] == "end":
        os._exit(7)
    if payload["then"] == "hang":
        time.sleep(600)
    return {}


def orphan(payload, *, tell):
    """End without an answer, while a forked process keeps every pipe open."""
    mark = Path(payload["mark"])
    if os.fork():
        while not mark.exists():
            time.sleep(0.01)
        os._exit(4)
    draft = mark.with_suffix(".draft")
    draft.write_text(str(os.getpid()))
    draft.rename(mark)
    time.sleep(600)


def flood(payload, *, tell):
    for _ in range(200):
        os.write(1, b"x" * 100_000)
    return {"written": 20_000_000}


def print_bytes(payload, *, tell):
    os.write(2, b"caf\xe9 \xff\n")
    os._exit(5)


def cannot_read(payload, *, tell):
    raise MemoryError("cannot read caf\udce9.bin")


def interrupt(payload, *, tell):
    """Raise what no `except Exception` catches, while a thread keeps the interpreter from its end."""
    threading.Thread(target=time.sleep, args=(600,)).start()
    raise {"KeyboardInterrupt": KeyboardInterrupt, "GeneratorExit": GeneratorExit}[payload["raises"]]("stop here")


def say_everything(payload, *, tell):
    """Raise an exception with a message of a whole tensor's size."""
    raise MemoryError("start " + "x" * 20_000_000 + " end")


def unterminated(payload, *, tell):
    """Write half a line into the pipe of the answer, and wait."""
    frame = sys._getframe()
    while "pipe" not in frame.f_locals:
        frame = frame.f_back
    os.write(frame.f_locals["pipe"].fileno(), b'{"body": ')
    time.sleep(600)


def work_long(payload, *, tell):
    """Advance for longer than the allowed silence."""
    for step in range(12):
        tell(step, 12)
        time.sleep(0.3)
    return {"done": True}


def stop_once(payload, *, tell):
    """Stop itself, as Ctrl-Z or a debugger does; somebody else lets it continue."""
    tell(1, 2)
    Path(payload["mark"]).write_text(str(os.getpid()))
    os.kill(os.getpid(), signal.SIGSTOP)
    return {"done": True}
