"""The time of the coordinator, and that of commands that read a large ledger; part of `make bench`.

    python tests/benchmarks/bench_coordinator.py [--records 20000] [--json FILE]

A study of about 20,000 records is made by answers of the right form and size. At half of them, the coordinator carries
400 more jobs on, whose own time is subtracted. Then each command reads all of them, as files and packed, in a process
of its own, from its start to its end; its memory is the peak of its resident set, its processor time without that of
processes that it starts. The limits are 20 ms a run, 5 s and 1 GB.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from large_study import ROOT, carry_on, fill, large_study

JOBS, WORKERS = 400, 4

COMMANDS = {
    "status": "from realitycheck import verbs; verbs.study_status(study)",
    "report": "from realitycheck import verbs; verbs.report_with_changes(study)",
    "pack": "from realitycheck import verbs; verbs.pack_study(study)",
    "plan": "from realitycheck.verbs import durations; durations.observed(study)",
}
"""Command → what it does, as the command line does it; of `plan` what it reads. `study` is the path of the file."""

CHILD = """
import json, resource, sys
from pathlib import Path
study = Path(sys.argv[1])
{work}
used = resource.getrusage(resource.RUSAGE_SELF)
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({{"processor": used.ru_utime + used.ru_stime, "gigabytes": 1024 * int(peak.split()[1]) / 1e9}}))
"""
"""The peak of the resident set is not that of `getrusage`, which begins with the one of the parent."""


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=20_000, help="of the whole study")
    parser.add_argument("--json", type=Path, help="file for the numbers")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(Path(folder), records=given.records)
    for line in lines(measured):
        print(line)
    if given.json:
        given.json.write_text(json.dumps(measured, indent=1) + "\n")


def measure(home: Path, *, records: int) -> dict[str, Any]:
    """Make the ledger, and measure the coordinator at its half and the commands at its end."""
    study = large_study(home, records=records)
    half = fill(study, records=records // 2)
    marks = carry_on(study, workers=WORKERS, jobs=JOBS)
    first, last = marks[0], marks[-1]
    coordinator = {
        "records": half,
        "milliseconds": 1000 * (last.wall - first.wall) / (len(marks) - 1),
        "processor": 1000 * (last.cpu - first.cpu) / (len(marks) - 1),
        "forced": forced_seconds(home),
    }
    shutil.rmtree(study.parent / study.stem / "ledger")
    shutil.rmtree(study.parent / study.stem / "attempts")
    count = fill(study, records=records)
    rows = [{"command": name, "form": "files", **in_process(name, study)} for name in COMMANDS]
    shutil.rmtree(study.parent / study.stem / "ledger")
    shutil.rmtree(study.parent / study.stem / "attempts")
    rows += [{"command": name, "form": "packed", **in_process(name, study)} for name in COMMANDS]
    return {"records": count, "coordinator": coordinator, "commands": rows}


def forced_seconds(folder: Path) -> float:
    """Milliseconds that this disk takes to force a small new file to it."""
    begin = time.perf_counter()
    for number in range(50):
        with (folder / f"forced-{number}").open("wb") as file:
            file.write(b"x" * 4000)
            file.flush()
            os.fsync(file.fileno())
    return 1000 * (time.perf_counter() - begin) / 50


def in_process(name: str, study: Path) -> dict[str, float]:
    """Seconds, seconds of the processor and gigabytes of one command."""
    script = [sys.executable, "-c", CHILD.format(work=COMMANDS[name]), str(study)]
    begin = time.perf_counter()
    answer = subprocess.run(
        script, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True, text=True
    )
    numbers: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return {"seconds": time.perf_counter() - begin, **numbers}


def lines(measured: dict[str, Any]) -> list[str]:
    """What is printed."""
    one = measured["coordinator"]
    return [
        f"coordinator at {one['records']:,} records: {one['milliseconds']:.1f} ms a run, of which "
        f"{one['processor']:.1f} ms of the processor; a file that is forced to this disk takes {one['forced']:.1f} ms",
        *(
            f"{row['command']} of {measured['records']:,} records, {row['form']}: {row['seconds']:.1f} s, "
            f"{row['processor']:.1f} s of the processor, {row['gigabytes']:.2f} GB"
            for row in measured["commands"]
        ),
    ]


if __name__ == "__main__":
    main()
