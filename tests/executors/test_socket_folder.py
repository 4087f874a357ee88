"""Jobs start wherever the folder for temporary files is: the path of a socket has 103 or 107 bytes at most."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from realitycheck.errors import RunError
from realitycheck.executors import fork_server

SCRIPT = """
from realitycheck.executors.base import Job
from realitycheck.executors.local import LocalExecutor

if __name__ == "__main__":
    executor = LocalExecutor(devices=(None,), deadline=60.0, memory=None, preload=(), pins={})
    executor.submit(Job("run", "id", "group", "title", {}), address="builtins:dict")
    while not (back := executor.wait(seconds=60.0)):
        pass
    executor.close()
    print(back[0].failure)
"""


@pytest.mark.parametrize("length", [60, 71, 72, 120, 200])
def test_a_job_starts_where_temporary_files_are(tmp_path, length):
    base = Path(tempfile.mkdtemp(dir="/tmp"))
    folder = base / ("t" * (length - len(str(base)) - 1))
    folder.mkdir()
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = os.environ | {"TMPDIR": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, str(script)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "TypeError" in done.stdout, "the job was done: its answer holds `tell`, which is no JSON"
    assert list(folder.iterdir()) == [], "sockets are removed"
    folder.rmdir()
    base.rmdir()


def test_no_folder_for_a_socket_is_one_sentence(tmp_path, monkeypatch):
    folder = tmp_path / ("t" * 100)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(fork_server, "SHORT", ())
    with pytest.raises(RunError, match=r"Set TMPDIR"):
        fork_server.start_server({})
    assert tempfile.tempdir == str(folder)
