"""Groups of processes: who belongs to one, how much memory they hold, and their end. A group is named by its leader.

Descendants of the leader that left its group belong to it as well: it adopts those whose parent ends. Where there is no
/proc, as outside Linux, groups alone are ended, and nothing is known of their memory.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

_PROC = Path("/proc")

_CONTROL = Path("/sys/fs/cgroup")
"""Where control groups are: below it those of version 2, and below `memory` those of version 1."""


def memory_of(groups: Collection[int]) -> dict[int, int]:
    """Bytes that the processes of each group hold: resident, and neither a mapped file nor given back when needed.

    Pages that a child shares with the fork server count as its own.
    """
    members = {group: {group, *descendants_of(group)} for group in groups}
    for process in _processes() if groups else ():
        with suppress(OSError):
            members.get(os.getpgid(process), set()).add(process)
    return {group: sum(map(held_by, processes)) for group, processes in members.items()}


def members_of(group: int) -> list[int]:
    """The processes of a group, and the descendants of its leader."""
    members = descendants_of(group)
    for process in _processes():
        with suppress(OSError):
            members |= {process} if os.getpgid(process) == group else set()
    return sorted(members)


def descendants_of(process: int) -> set[int]:
    """The children of a process, theirs, and so on."""
    descendants: set[int] = set()
    new = children_of(process)
    while new:
        descendants |= new
        new = {child for parent in new for child in children_of(parent)} - descendants
    return descendants


def children_of(process: int) -> set[int]:
    """The children of a process; none where the system does not list them."""
    children: set[int] = set()
    with suppress(OSError):
        for thread in (_PROC / str(process) / "task").iterdir():
            with suppress(OSError):  # a thread that has ended
                children |= {int(child) for child in (thread / "children").read_text(encoding="ascii").split()}
    return children


def children_apart(process: int) -> set[int]:
    """The children of a process that are in another group than it."""
    with suppress(OSError):
        own = os.getpgid(process)
        return {child for child in children_of(process) if _group_of(child) not in (own, None)}
    return set()


def _group_of(process: int) -> int | None:
    with suppress(OSError):
        return os.getpgid(process)
    return None


def kill_group(group: int) -> None:
    """Kill a group and the descendants of its leader."""
    descendants = descendants_of(group)  # listed first: they change their parent when it ends
    send(group, signal.SIGKILL)
    kill_trees(descendants)


def kill_trees(processes: Iterable[int]) -> None:
    """Kill processes and the descendants of each."""
    for process in processes:
        for one in (process, *descendants_of(process)):
            with suppress(OSError):
                os.kill(one, signal.SIGKILL)


def held_by(process: int) -> int:
    """Bytes that one process holds, as in `memory_of`; 0 where it is not known."""
    with suppress(OSError):
        return _resident(process)
    return 0


def machine_memory() -> int | None:
    """Bytes of memory that this process may use; None where it is not known.

    That is the machine's memory, or the smallest limit of a control group that the process is in, at any level: a
    container has one at the root, a job of Slurm some levels below.
    """
    known = []
    with suppress(OSError, ValueError):
        known.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for path in _limits():
        with suppress(OSError, ValueError):  # `max` is none
            known.append(int(path.read_text(encoding="ascii")))
    return min((size for size in known if size > 0), default=None)


def _limits() -> Iterator[Path]:
    """Iterate over the files of the limits, from the own control group up to the root."""
    lines = ["0::/", "0:memory:/"]
    with suppress(OSError):
        lines += (_PROC / "self" / "cgroup").read_text(errors="replace").splitlines()
    for controllers, _, path in (line.partition(":")[2].partition(":") for line in lines):
        own = PurePosixPath(path.lstrip("/"))
        if ".." in own.parts:  # of a namespace that this process was moved out of
            continue
        for group in (own, *own.parents):
            if not controllers:
                yield _CONTROL / group / "memory.max"
            elif "memory" in controllers.split(","):
                yield _CONTROL / "memory" / group / "memory.limit_in_bytes"


def memory_share(*, jobs: int) -> int | None:
    """Bytes that each of a number of jobs may hold: an equal share of nine tenths of the machine's memory."""
    size = machine_memory()
    return None if size is None else size * 9 // (10 * jobs)


def is_stopped(process: int) -> bool:
    """Whether a process is stopped, as by SIGSTOP or a debugger, so that it cannot report anything."""
    try:
        status = (_PROC / str(process) / "stat").read_bytes()
    except OSError:
        return False
    return status.rpartition(b")")[2].split()[:1] in ([b"T"], [b"t"])


def send(process: int, number: signal.Signals) -> None:
    """Send a signal to the group that a process leads, or to the process where it does not lead one yet."""
    for sent in (os.killpg, os.kill):
        with suppress(OSError):
            sent(process, number)
            return


def _processes() -> Iterator[int]:
    with suppress(OSError):
        yield from (int(name) for name in os.listdir("/proc") if name.isdecimal())  # noqa: PTH208


def _resident(process: int) -> int:
    lines = (_PROC / str(process) / "status").read_bytes().splitlines()
    sizes = [int(line.split()[1]) for line in lines if line.startswith((b"RssAnon:", b"RssShmem:"))]
    return 1024 * sum(sizes)
