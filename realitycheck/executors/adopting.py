"""Imported by the fork server last: it adopts processes whose job has ended, so that they can be found and ended."""

from __future__ import annotations

import atexit
import os
import warnings

from realitycheck.executors.process_groups import children_apart, kill_trees
from realitycheck.processes import adopt_orphans

SERVER = os.getpid()


def end_jobs() -> None:
    """Kill the jobs of this server, and what is left of earlier ones; a child that inherits this does nothing."""
    if os.getpid() == SERVER:
        kill_trees(children_apart(SERVER))


adopt_orphans()
atexit.register(end_jobs)
# The server warns at the end of each process that it did not start.
warnings.filterwarnings("ignore", message="forkserver: waitpid returned unexpected pid")
