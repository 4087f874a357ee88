"""Commands that were started without a stream, or with one that cannot write every character."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


def done(words: str, folder: Path, shell: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a shell says of a command; `shell` is what follows the command's words."""
    asked = f'"{sys.executable}" -m realitycheck {words} {shell}'
    known = {**os.environ, "PYTHONPATH": str(REPOSITORY), **environment}
    return subprocess.run(["bash", "-c", asked], cwd=folder, env=known, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_report_without_streams_is_written(finished, tmp_path, closed):
    home = finished.parents[1]
    ended = done(f"report {finished.relative_to(home)}", home, closed)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (home / "reports" / "small" / "tables.json").stat().st_size > 1000


def test_children_of_a_command_without_streams_have_streams(tmp_path):
    code = (
        "from realitycheck.cli.streams import ready_streams; ready_streams(); import subprocess, sys;"
        "looks = 'import os; [os.fstat(number) for number in range(3)]';"
        "sys.exit(subprocess.run([sys.executable, '-c', looks]).returncode)"
    )
    asked = f'"{sys.executable}" -c "{code}" <&- >&- 2>&-'
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    assert subprocess.run(["bash", "-c", asked], cwd=tmp_path, env=environment, check=False).returncode == 0


def test_no_file_gets_the_number_of_a_closed_stream(tmp_path):
    code = (
        "from realitycheck.cli.streams import ready_streams; ready_streams(); import os;"
        "file = open('a', 'w'); os.write(1, b'printed'); os.write(2, b'printed'); print('more');"
        "assert file.fileno() > 2"
    )
    asked = f'"{sys.executable}" -c "{code}" <&- >&- 2>&-'
    ended = subprocess.run(
        ["bash", "-c", asked], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, check=False
    )
    assert ended.returncode == 0
    assert (tmp_path / "a").read_bytes() == b""


@pytest.mark.parametrize("encoding", ["ascii:strict", "ascii:surrogateescape", "latin-1", "utf-8"])
def test_a_locale_without_a_character_shows_it_escaped(encoding):
    code = "from realitycheck.cli.streams import ready_streams; ready_streams(); print(chr(0x2212) + '1.3')"
    known = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    said = subprocess.run([sys.executable, "-c", code], env=known, capture_output=True, check=True)
    assert said.stdout.decode("utf-8").strip() == ("\u22121.3" if encoding == "utf-8" else "\\u22121.3")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is full")
def test_a_full_disk_below_standard_output_is_named(tmp_path):
    ended = done("catalog metrics", tmp_path, ">/dev/full")
    assert (ended.returncode, ended.stderr.partition(":")[0]) == (1, "standard output")
