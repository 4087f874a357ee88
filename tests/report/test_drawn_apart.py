"""Figures that are drawn in several processes are those that one process draws."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from realitycheck.report.blocks import Figure
from realitycheck.report.drawn_apart import shares

ROOT = Path(__file__).parent.parent.parent

FIGURES = """
import os, signal, sys
from realitycheck.report import drawn_apart
from realitycheck.report.drawing import draw

def figures():
    def of(number):
        return lambda canvas: canvas.subplots().plot([0, number], [1, 2])
    return [draw(of(n), name=f"f{n}", height=8.0 + n, title=f"t{n}", caption="") for n in range(5)]

here, pid = [one.svg for one in figures()], os.getpid()
drawn_apart.processes_for = lambda figures: 3
apart = figures()
"""


def in_process(code: str) -> str:
    """What Python code prints in a process of its own, which has no threads of a test runner."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning", "-c", FIGURES + code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_several_processes_draw_the_same_bytes():
    code = """
took = []
drawn_apart.Figure.take = lambda self, svg: (took.append(self.name), vars(self).update(svg=svg))
with drawn_apart.drawing(apart):
    pass
assert [vars(one)["svg"] for one in apart] == here
print(*sorted(took))
"""
    # f0 is drawn first. Texts count as 0.3 of 42 inches, 12.6: f4 and f3 go out, f2 (10) follows f3 (11), f1 f4 (12).
    assert in_process(code).split() == ["f1", "f2", "f3", "f4"]


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), signal.SIGKILL)", "raise MemoryError", "sys.exit(3)"])
def test_what_a_process_does_not_send_is_drawn_here(end):
    code = f"""
def ended(json_of=drawn_apart.json.dumps):
    {end}
drawn_apart.json.dumps = lambda value: ended() if os.getpid() != pid else None
with drawn_apart.drawing(apart):
    pass
assert [one.svg for one in apart] == here
print(len([one for one in apart if "svg" in vars(one)]))
"""
    assert in_process(code).strip() == "5"


def test_a_figure_that_cannot_be_drawn_ends_the_other_processes():
    """Each has more to send than a pipe of 64 KiB holds, and the second holds the pipe of the first."""
    code = """
def refused():
    raise ValueError("no such point")
long = [drawn_apart.Figure(f"g{n:.0f}", lambda: "y" * 1_000_000, "", "", height=n) for n in (0.0, 9.0, 8.0)]
try:
    with drawn_apart.drawing([*long, drawn_apart.Figure("h", refused, "", "", height=5.0)]):
        pass
except ValueError as error:
    print(error)
try:
    os.waitpid(-1, 0)
except ChildProcessError:
    print("none is left")
"""
    assert in_process(code).splitlines() == ["no such point", "none is left"]


def test_without_a_fork_all_is_drawn_here():
    code = """
def refused():
    raise OSError(11, "no room")
os.fork = refused
with drawn_apart.drawing(apart):
    pass
assert [one.svg for one in apart] == here
"""
    in_process(code)


def test_threads_and_small_figures_keep_one_process():
    code = """
import importlib, threading
drawn_apart = importlib.reload(drawn_apart)
os.sched_getaffinity = lambda process: {0, 1, 2, 3}
sizes = [drawn_apart.processes_for(apart[:2]), drawn_apart.processes_for(apart), drawn_apart.processes_for([])]
wait = threading.Event()
other = threading.Thread(target=wait.wait)
other.start()
sizes.append(drawn_apart.processes_for(apart))
wait.set()
print(*sizes)
"""
    # 8 + 9 inches are worth 2 processes, 50 inches 6, of which there are 4 processors.
    assert in_process(code).split() == ["2", "4", "1", "1"]


def test_the_highest_figures_go_to_different_processes():
    made = [Figure(f"f{height}", "", "", "", height=float(height)) for height in (3, 9, 5, 8, 1)]
    # The first process begins with texts, 0.3 of 26 inches: 7.8 against 9, then 15.8 against 9, 14 and 17.
    assert [[one.height for one in part] for part in shares(made, 2)] == [[8.0, 1.0], [9.0, 5.0, 3.0]]
