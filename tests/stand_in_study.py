"""`python stand_in_study.py STUDY WORKERS`: a whole study with stand-ins for training; one line per finished job."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    from realitycheck import verbs
    from realitycheck.executors.local import LocalExecutor
    from realitycheck.protocol.read import read_study

    STAND_INS = {
        "proposal": "realitycheck.search.propose:propose",
        "selection": "realitycheck.search.posterior_mean:select",
        "run": "standins:run",
        "score": "standins:score",
        "neighbors": "standins:neighbors",
    }
    executor = LocalExecutor(
        devices=[None] * int(sys.argv[2]),
        memory=None,
        deadline=60.0,
        preload=["realitycheck.search.propose", "standins"],
        pins={},
    )
    verbs.carry_out(
        read_study(Path(sys.argv[1])),
        executor=executor,
        device="cpu",
        reuse=(),
        watch=lambda standings, running: print(len(running), flush=True),
        verbs=STAND_INS,
    )
