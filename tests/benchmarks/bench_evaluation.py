"""The share of validation in a fold run, at the interval of each protocol for a CPU.

An evaluation embeds the validation images and scores them. Aim: at most 10 % of the run. The forward pass of these
images is the least that an evaluation can take, so the column `forward` shows what the interval itself costs.

The time is that of the processor, so that other processes on the machine disturb little.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

import torch
from protocol_cases import STUDIES, Case, case_of, in_turns, pinned

from realitycheck.metrics.retrieval import scores
from realitycheck.training.assemble import assemble
from realitycheck.training.embed import embed

LABEL = "normalized_softmax"
STEPS = {"finetuned_small": 2}
"""Steps in a turn, where an interval would take a minute."""

OTHERS, TURNS = 10, 5


def main() -> None:
    """Print the milliseconds of an interval's steps and of its evaluation; protocols may be named as arguments."""
    pinned()
    print(f"processor time in ms, medians of {TURNS} turns; aim: evaluation at most 10 % of a run\n")
    print(f"{'protocol':18}{'images':>8}{'steps':>7}{'training':>10}{'embed':>8}{'score':>8}{'share':>8}{'forward':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for protocol in sys.argv[1:] or STUDIES:
            _print(case_of(protocol, LABEL, Path(folder)))


def _print(case: Case) -> None:
    trainer, _, val = assemble(case.spec, case.place)
    every, steps = case.spec.phases[0]["evaluate_every"], STEPS.get(case.protocol, OTHERS)
    labels, distance = torch.from_numpy(trainer.store.labels[val]), case.spec.loss["distance"]

    def embedded() -> torch.Tensor:
        recipe, device = trainer.recipe, trainer.device
        return embed(trainer.model, trainer.store, val, output="embedder", recipe=recipe, device=device)

    rows = embedded()
    works = [lambda: trainer.advance(steps), embedded, lambda: scores(rows, labels, distance=distance)]
    train, embedding, scoring = (1e3 * statistics.median(row) for row in in_turns(works, turns=TURNS))
    train *= every / steps
    share = (embedding + scoring) / (train + embedding + scoring)
    forward = embedding / (train + embedding)
    times = f"{train:10.0f}{embedding:8.1f}{scoring:8.1f}"
    print(f"{case.protocol:18}{len(val):8d}{every:7d}{times}{share:8.1%}{forward:9.1%}", flush=True)


if __name__ == "__main__":
    main()
