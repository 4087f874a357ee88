"""Several processes on one GPU through NVIDIA's Multi-Process Service, if it may be started; it is ended afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from device_processes import processes

CONTROL = "nvidia-cuda-mps-control"


def mps(size, device, save):
    """The step `processes` once more, under MPS."""
    if device != "cuda" or not shutil.which(CONTROL):
        why = "there is no GPU" if device != "cuda" else f"{CONTROL} is not installed"
        save({"says": [f"Not measured: {why}."], "tables": {}})
        return
    with tempfile.TemporaryDirectory() as folder:
        # Its own pipes, so that a service that others use is left alone.
        os.environ |= {"CUDA_MPS_PIPE_DIRECTORY": folder, "CUDA_MPS_LOG_DIRECTORY": folder}
        control = start(folder)
        try:
            if control is None:
                save({"says": ["Not measured: MPS could not be started."], "tables": {}})
                return
            processes(size, device, lambda found: save(_renamed(found)))
        finally:
            end(control)


def start(folder, *, command=(CONTROL, "-f")):
    """The service in the foreground, or None: in this group of processes, which is ended with this step."""
    control = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    until = time.monotonic() + 5
    while time.monotonic() < until and control.poll() is None:
        if (Path(folder) / "control").exists():
            return control
        time.sleep(0.05)
    end(control)
    return None


def end(control, *, command=(CONTROL,)):
    """End the service that was started here."""
    if control is None or control.poll() is not None:
        return
    try:
        subprocess.run(command, input="quit\n", text=True, capture_output=True, timeout=10)
        control.wait(timeout=10)
    except (subprocess.TimeoutExpired, OSError):
        control.kill()
        control.wait()


def _renamed(found):
    return {**found, "tables": {f"{title}, with MPS": rows for title, rows in found["tables"].items()}}
