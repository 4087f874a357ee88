"""The memory that jobs share is the smallest limit of the control groups of this process, at any level."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from realitycheck.executors import process_groups
from realitycheck.executors.process_groups import machine_memory, memory_share

PHYSICAL = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
SLURM = "0::/system.slice/slurmstepd.scope/job_7/step_0/user/task_0\n"
JOB = "system.slice/slurmstepd.scope/job_7"
NONE = 9223372036854771712
"""What version 1 says where there is no limit."""


def machine(folder: Path, monkeypatch, own: str, limits: dict[str, object]) -> None:
    """A machine with these control groups, in one of which this process is."""
    (folder / "proc" / "self").mkdir(parents=True)
    (folder / "proc" / "self" / "cgroup").write_text(own)
    for name, limit in limits.items():
        path = folder / "control" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{limit}\n")
    monkeypatch.setattr(process_groups, "_PROC", folder / "proc")
    monkeypatch.setattr(process_groups, "_CONTROL", folder / "control")


@pytest.mark.parametrize(
    ("own", "limits", "expected"),
    [
        ("", {}, PHYSICAL),
        ("0::/\n", {"memory.max": "max"}, PHYSICAL),
        ("0::/\n", {"memory.max": 5000}, 5000),
        (SLURM, {f"{JOB}/memory.max": 4000, f"{JOB}/step_0/memory.max": "max"}, 4000),
        (SLURM, {f"{JOB}/memory.max": 4000, f"{JOB}/step_0/user/task_0/memory.max": 3000}, 3000),
        (SLURM, {f"{JOB}/memory.max": 4000, "system.slice/memory.max": 2000}, 2000),
        (SLURM, {"system.slice/slurmstepd.scope/job_8/memory.max": 100}, PHYSICAL),
        ("0::/../elsewhere\n", {"memory.max": 6000, "elsewhere/memory.max": 100}, 6000),
        ("3:cpuset:/a\n4:memory:/slurm/job_7\n", {"memory/slurm/job_7/memory.limit_in_bytes": 7000}, 7000),
        ("4:cpu,memory:/a\n", {"memory/memory.limit_in_bytes": NONE, "memory/a/memory.limit_in_bytes": 8000}, 8000),
        ("4:memory:/a\n", {"a/memory.max": 100, "memory/memory.limit_in_bytes": 9000}, 9000),
    ],
)
def test_the_smallest_limit_from_the_own_group_to_the_root_counts(tmp_path, monkeypatch, own, limits, expected):
    machine(tmp_path, monkeypatch, own, limits)
    assert machine_memory() == expected


def test_jobs_share_nine_tenths_of_it(tmp_path, monkeypatch):
    machine(tmp_path, monkeypatch, SLURM, {f"{JOB}/memory.max": 4000})
    assert memory_share(jobs=2) == 1800
