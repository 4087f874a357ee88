"""The time of the coordinator, and that of commands that read a large ledger; part of `make bench`.

    python tests/benchmarks/bench_coordinator.py [--records 20000] [--json FILE]

A study of about 20,000 records is made by answers of the right form and size. At half of them, the coordinator carries
400 more jobs on, whose own time is subtracted. Then each command reads all of them, as files and packed, in a process
of its own, whose memory is the peak of its resident set. The limits are 20 ms a run, 5 s and 1 GB.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
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


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=20_000, help="of the whole study")
    parser.add_argument("--json", type=Path, help="file for the numbers")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        command(*given.child)
        return
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
    script = [sys.executable, __file__, "--child", name, str(study)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    answer = subprocess.run(script, env=environment, check=True, capture_output=True, text=True)
    numbers: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return numbers


def command(name: str, study: str) -> None:
    """Carry one command out, its imports included, and print what it took."""
    begin = time.perf_counter()
    exec(COMMANDS[name], {"study": Path(study)})
    used = resource.getrusage(resource.RUSAGE_SELF)
    numbers = {
        "seconds": time.perf_counter() - begin,
        "processor": used.ru_utime + used.ru_stime,
        "gigabytes": peak_bytes() / 1e9,
    }
    print(json.dumps(numbers))


def peak_bytes() -> int:
    """The peak of this process's resident set; that of `getrusage` begins with its parent's."""
    facts = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return 1024 * int(facts["VmHWM"].split()[0])


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
