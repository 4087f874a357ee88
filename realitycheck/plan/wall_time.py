"""How long a study takes on N workers: its jobs in the coordinator's order, on a simulated clock.

Job by job, the coordinator takes the groups in turn, the one with the fewest records first (`search.agenda`). A worker
that has nothing to start waits. All workers are equally fast, and the coordinator's own time is left out.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from realitycheck.plan.job_graph import JobNode

Entry = tuple[tuple[int, ...], int]
"""The order of a job in its group, and its number."""


@dataclass(frozen=True, slots=True)
class WallTime:
    """What a simulation saw.

    Args:
        seconds: from the start of the first job to the end of the last.
        busy: seconds of all workers at a job.
        workers: how many there were.
    """

    seconds: float
    busy: float
    workers: int

    @property
    def share(self) -> float:
        """The share of their time that the workers are at a job, in [0, 1]."""
        return self.busy / (self.seconds * self.workers) if self.seconds else 1.0


def wall_time(nodes: Sequence[JobNode], *, workers: int) -> WallTime:
    """Return how long jobs take on this number of workers.

    Args:
        nodes: the jobs; each waits for jobs that come before it.
        workers: jobs at a time.

    Example:
        >>> from realitycheck.plan.job_graph import JobNode
        >>> pair = [JobNode("a", (0,), 2.0, ()), JobNode("a", (1,), 3.0, ())]
        >>> wall_time(pair, workers=1).seconds, wall_time(pair, workers=2).seconds
        (5.0, 3.0)
    """
    busy, clock = sum(node.seconds or 0.0 for node in nodes), 0.0
    queue, running, number = _Queue(nodes), list[tuple[float, int, int]](), 0
    while queue.left:
        while len(running) < workers and (job := queue.start()) is not None:
            heapq.heappush(running, (clock + (nodes[job].seconds or 0.0), number, job))
            number += 1
        clock = running[0][0]
        while running and running[0][0] == clock:
            queue.end(heapq.heappop(running)[2])
    return WallTime(clock, busy, workers)


def least_time(nodes: Sequence[JobNode]) -> float:
    """Return the length of the longest chain of jobs: no number of workers is faster."""
    ends: list[float] = []
    for node in nodes:
        ends.append(max((ends[job] for job in node.after), default=0.0) + (node.seconds or 0.0))
    return max(ends, default=0.0)


def enough_workers(nodes: Sequence[JobNode], *, within: float) -> int:
    """Return the least power of two that is at most this share slower than as many workers as there are jobs."""
    goal, workers = (1 + within) * wall_time(nodes, workers=max(1, len(nodes))).seconds, 1
    while wall_time(nodes, workers=workers).seconds > goal:
        workers *= 2
    return workers


@dataclass(slots=True)
class _Line:
    """The jobs of one group that are not done and wait for nothing, by their order, and those that do not run yet."""

    jobs: list[Entry] = field(default_factory=list)
    waiting: list[Entry] = field(default_factory=list)

    def add(self, entry: Entry) -> None:
        """Take a job in that may start."""
        insort(self.jobs, entry)
        insort(self.waiting, entry)

    @property
    def place(self) -> int:
        """Where the next job to start is among all of them."""
        return bisect_left(self.jobs, self.waiting[0])


class _Queue:
    """Which job is next; `left` is how many are not done."""

    def __init__(self, nodes: Sequence[JobNode]) -> None:
        self.nodes, self.left = nodes, len(nodes)
        self._lines: dict[str, _Line] = {node.group: _Line() for node in nodes}
        self._turns: Counter[str] = Counter()
        self._followers: dict[int, list[int]] = defaultdict(list)
        self._waits = [len(node.after) for node in nodes]
        for number, node in enumerate(nodes):
            for job in node.after:
                self._followers[job].append(number)
        for number in [number for number, node in enumerate(nodes) if not node.after]:
            self._free(number)

    def start(self) -> int | None:
        """The job that a free worker takes, or None: the first of every group, then the second, and so on."""
        firsts = [
            (line.place, self._turns[group], rank, line)
            for rank, (group, line) in enumerate(self._lines.items())
            if line.waiting
        ]
        return min(firsts, key=lambda first: first[:3])[-1].waiting.pop(0)[-1] if firsts else None

    def end(self, job: int) -> None:
        """Note that a job is done, and free those that waited for it alone."""
        node = self.nodes[job]
        self._lines[node.group].jobs.remove((node.order, job))
        self._turns[node.group] += 1
        self._done(job)

    def _done(self, job: int) -> None:
        self.left -= 1
        for follower in self._followers[job]:
            self._waits[follower] -= 1
            if not self._waits[follower]:
                self._free(follower)

    def _free(self, job: int) -> None:
        """A job waits for nothing more; an opening needs no worker, so it is done at once."""
        if self.nodes[job].seconds is None:
            self._done(job)
        else:
            self._lines[self.nodes[job].group].add((self.nodes[job].order, job))
