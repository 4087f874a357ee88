"""What `ExecutorContract` has executors do, without torch."""

from __future__ import annotations

import math
import os
import signal
import sys
import time
from pathlib import Path

from realitycheck.executors.base import Tell, VerbAnswer
from realitycheck.runs import Body


def echo(payload: Body, *, tell: Tell) -> Body:
    """Answer with the payload."""
    return {"payload": payload}


def change(payload: Body, *, tell: Tell) -> Body:
    """Answer with the payload, and change it."""
    answer = {"payload": dict(payload)}
    payload.clear()
    return answer


def fail(payload: Body, *, tell: Tell) -> Body:
    """Raise an exception with this text."""
    raise OSError(payload["text"])


def fail_by_bytes(payload: Body, *, tell: Tell) -> Body:
    """Raise an exception that names a file with a name that is not valid UTF-8."""
    raise OSError(os.fsdecode(b"caf\xe9.jpg"))


def diverge(payload: Body, *, tell: Tell) -> VerbAnswer:
    """Answer with a body and with the exception that led to it."""
    try:
        fail(payload, tell=tell)
    except OSError as error:
        return VerbAnswer({"payload": payload}, error)
    raise AssertionError


def leave(payload: Body, *, tell: Tell) -> Body:
    """Exit the process."""
    sys.exit(payload["text"])


def answer_nan(payload: Body, *, tell: Tell) -> Body:
    """Answer with NaN, which is not JSON."""
    return {"value": math.nan}


def answer_a_set(payload: Body, *, tell: Tell) -> Body:
    """Answer with a set, which is not JSON."""
    return {"value": {1, 2}}


def linger(payload: Body, *, tell: Tell) -> Body:
    """Create a file, sleep, and create another."""
    Path(payload["started"]).touch()
    time.sleep(payload["seconds"])
    Path(payload["mark"]).touch()
    return {}


def report_often(payload: Body, *, tell: Tell) -> Body:
    """Report each of many steps."""
    for step in range(payload["steps"]):
        tell(step, payload["steps"])
    return {"done": payload["steps"]}


def report_and_wait(payload: Body, *, tell: Tell) -> Body:
    """Report a step, and wait for a file."""
    tell(3, 4)
    while not Path(payload["mark"]).exists():
        time.sleep(0.02)
    return {}


def end_the_process(payload: Body, *, tell: Tell) -> Body:
    """End the process that does the job."""
    os._exit(3)


def kill_the_process(payload: Body, *, tell: Tell) -> Body:
    """Kill the process that does the job, as a system does that is out of memory."""
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def fall_silent(payload: Body, *, tell: Tell) -> Body:
    """Report a step, and nothing more."""
    tell(1, 2)
    time.sleep(600)
    return {}


def wait_for(payload: Body, *, tell: Tell) -> Body:
    """Wait for a file, if one is named."""
    while payload["mark"] and not Path(payload["mark"]).exists():
        time.sleep(0.02)
    return {"name": payload["name"]}
