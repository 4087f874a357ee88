"""optuna-dashboard lists every search and every trial of an exported file, over HTTP on the loopback address."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from small_study import FINISHED, FINISHED_PROTOCOL, write_study
from trained_here import carry_out

from realitycheck import verbs
from realitycheck.executors.inline import InlineExecutor

SECONDS = 120


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answered(port: int, path: str) -> dict:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return json.load(answer)


def first_answer(port: int, server: subprocess.Popen) -> dict:
    """The list of studies, as soon as the server listens."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            return answered(port, "/api/studies")
        except (urllib.error.URLError, ConnectionError):
            assert server.poll() is None, "the dashboard has ended"
            time.sleep(0.2)
    raise TimeoutError("the dashboard does not listen")


def test_the_dashboard_lists_every_search_and_trial(tmp_path):
    pytest.importorskip("optuna_dashboard")
    study = write_study(tmp_path / "home", protocol=FINISHED_PROTOCOL, study=FINISHED)
    carry_out(study, InlineExecutor(device=None))
    (file,) = verbs.export_study(study, optuna=Path(tmp_path / "trials.db"))
    port = free_port()
    code = "import sys; from optuna_dashboard._cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, f"sqlite:///{file}", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        listed = {one["study_name"]: one["study_id"] for one in first_answer(port, server)["study_summaries"]}
        assert sorted(listed) == ["pictures/contrastive", "pictures/normalized_softmax"]
        for number in listed.values():
            trials = answered(port, f"/api/studies/{number}?after=0")["trials"]
            assert [trial["number"] for trial in trials] == [0, 1]
            assert all(trial["state"] == "Complete" and trial["values"] for trial in trials)
    finally:
        server.terminate()
        server.wait()
