"""Verbs that say that their process may do another job, and what they may leave behind in it."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import torch

from realitycheck.executors.base import VerbAnswer

KEPT = []


def answer(payload, *, tell):
    return VerbAnswer({"pid": os.getpid()}, None, reusable=True)


def not_offered(payload, *, tell):
    return {"pid": os.getpid()}


def draw(payload, *, tell):
    """Draw from the global generators, which then are in another state."""
    drawn = [random.random(), float(np.random.rand()), float(torch.rand(()))]
    return VerbAnswer({"pid": os.getpid(), "drawn": drawn[1:]}, None, reusable=True)


def speak(payload, *, tell):
    os.write(1, payload["text"].encode())
    return VerbAnswer({"pid": os.getpid()}, None, reusable=True)


def diverge(payload, *, tell):
    try:
        raise ValueError("not defined")
    except ValueError as error:
        return VerbAnswer({"pid": os.getpid()}, error, reusable=True)


def fail_once(payload, *, tell):
    """Fail in the process that did another job before, and answer in any other."""
    if Path(payload["mark"]).read_text() == str(os.getpid()):
        raise OSError("the disk is full")
    return VerbAnswer({"pid": os.getpid()}, None, reusable=True)


def die(payload, *, tell):
    os.write(2, b"second words\n")
    os.kill(os.getpid(), signal.SIGKILL)


def fall_silent(payload, *, tell):
    time.sleep(600)


def leave(payload, *, tell):
    """Leave something behind, by its name, and say that nothing was."""
    LEFT[payload["what"]]()
    return VerbAnswer({"pid": os.getpid()}, None, reusable=True)


def _start_thread():
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()


def _start_process():
    KEPT.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]))


def _fork():
    if os.fork() == 0:
        time.sleep(600)


def _set_errors():
    np.seterr(all="raise")


LEFT = {
    "alarm": lambda: signal.setitimer(signal.ITIMER_REAL, 3600.0),
    "anomaly": lambda: torch.autograd.set_detect_anomaly(mode=True),
    "blocked signal": lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1}),
    "deterministic": lambda: torch.use_deterministic_algorithms(mode=True),
    "dtype": lambda: torch.set_default_dtype(torch.float64),
    "environment": lambda: os.environ.update(LEFT_BEHIND="1"),
    "errors": _set_errors,
    "folder": lambda: os.chdir("/"),
    "fork": _fork,
    "gradients": lambda: torch.set_grad_enabled(mode=False),
    "limit": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100)),
    "matmul": lambda: torch.set_float32_matmul_precision("medium"),
    "memory": lambda: KEPT.append(b"\1" * 300_000_000),
    "mkldnn": lambda: setattr(torch.backends.mkldnn, "enabled", False),
    "open file": lambda: KEPT.append(os.open("/dev/null", os.O_RDONLY)),
    "path": lambda: sys.path.append("/nowhere"),
    "permissions": lambda: os.umask(0o77),
    "process": _start_process,
    "signal": lambda: signal.signal(signal.SIGUSR1, signal.SIG_IGN),
    "thread": _start_thread,
    "threads of torch": lambda: torch.set_num_threads(2),
    "trace": lambda: sys.setprofile(lambda *_: None),
    "warnings": lambda: warnings.simplefilter("error"),
}
