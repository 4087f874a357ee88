"""Scoring against pytorch-metric-learning with faiss: seconds and peak memory, side by side.

    python tests/benchmarks/bench_scoring.py                       all cases
    python tests/benchmarks/bench_scoring.py --cases study-128     a shape of the studies
    python tests/benchmarks/bench_scoring.py --cases validation-1000 --threads 1 --clock processor

Every measurement is a fresh process; the tools take turns, and the median counts. Small cases are scored several times
in a process, because a study scores them thousands of times. `floor` is the time of the float32 products alone, of each
pair once, in tiles of 512: no exact search on a CPU does without them. `least` is its ratio to pytorch-metric-learning,
below which `ratio` cannot fall. On a busy machine `--clock processor` says more than the time on the wall.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time

CASES = {
    "cub": (5_924, 512, 100),
    "sop": (60_502, 128, 11_316),
    "study-128": (17_300, 128, 173),
    "study-512": (17_300, 512, 173),
    "small-128": (4_300, 128, 43),
    "validation-400": (400, 128, 10),
    "validation-1000": (1_000, 128, 20),
    "validation-2000": (2_000, 128, 40),
}
"""Items, dimensions, classes."""

CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}

PAIRS = 20_000_000
"""Pairs of items that are scored in a process, at least."""

NAMES = {
    "map_at_r": "mean_average_precision_at_r",
    "r_precision": "r_precision",
    "precision_at_1": "precision_at_1",
}


def main() -> None:
    """Print one line per case and number of threads."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="`processor` adds the time of all threads")
    parser.add_argument("--measure", nargs=3, metavar=("TOOL", "CASE", "THREADS"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        tool, case, threads = args.measure
        print(json.dumps(measure(tool, case=case, threads=int(threads), clock=args.clock)))
        return
    print(
        f"{'case':<15} {'N':>6} {'D':>4} threads   ours s    PML s  floor s  ratio  least  ours MB   PML MB  difference"
    )
    for case in args.cases:
        for threads in args.threads:
            print(line(case, threads=threads, repeats=args.repeats, clock=args.clock), flush=True)


def line(case: str, *, threads: int, repeats: int, clock: str) -> str:
    """One row of the table; memory is the peak above that of the imports."""
    turns = [[in_process(tool, case, threads, clock) for tool in ("ours", "pml", "floor")] for _ in range(repeats)]
    ours, theirs, products = zip(*turns, strict=True)
    seconds = [statistics.median(each["seconds"] for each in tool) for tool in (ours, theirs, products)]
    peaks = [max(each["megabytes"] for each in tool) for tool in (ours, theirs)]
    apart = max(abs(ours[0]["scores"][name] - theirs[0]["scores"][name]) for name in NAMES)
    items, dims, _ = CASES[case]
    return (
        f"{case:<15} {items:>6} {dims:>4} {threads:>7} {seconds[0]:>8.4f} {seconds[1]:>8.4f} {seconds[2]:>8.4f} "
        f"{seconds[0] / seconds[1]:>6.2f} {seconds[2] / seconds[1]:>6.2f} "
        f"{peaks[0]:>8.0f} {peaks[1]:>8.0f}  {apart:.1e}"
    )


def in_process(tool: str, case: str, threads: int, clock: str) -> dict:
    """The measurement, made in a process of its own with its pools of threads pinned."""
    pinned = {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    command = [sys.executable, "-W", "ignore", __file__, "--clock", clock]
    command += ["--measure", tool, case, str(threads)]
    done = subprocess.run(command, env=os.environ | pinned, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def measure(tool: str, *, case: str, threads: int, clock: str) -> dict:
    """Seconds of a call, megabytes above import, and scores of one tool on one case, in this process."""
    import torch

    torch.set_num_threads(threads)
    score = {"ours": our_scores, "pml": their_scores, "floor": products_of_pairs}[tool](threads)
    before = peak_megabytes()
    embeddings, labels = made_up(*CASES[case])
    seconds, now = [], CLOCKS[clock]
    for _ in range(-(-PAIRS // len(labels) ** 2)):
        start = now()
        scores = score(embeddings, labels)
        seconds.append(now() - start)
    return {"seconds": statistics.median(seconds), "megabytes": peak_megabytes() - before, "scores": scores}


def our_scores(threads: int):
    from realitycheck import metrics

    return lambda embeddings, labels: metrics.retrieval_scores(embeddings, labels, distance="cosine")


def their_scores(threads: int):
    import faiss
    import torch
    from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator

    faiss.omp_set_num_threads(threads)
    wanted = tuple(NAMES.values())
    calculator = AccuracyCalculator(include=wanted, k="max_bin_count", device=torch.device("cpu"))

    def score(embeddings, labels):
        found = calculator.get_accuracy(embeddings, labels)
        return {ours: float(found[theirs]) for ours, theirs in NAMES.items()}

    return score


def products_of_pairs(threads: int):
    """Multiply each pair of tiles once, and keep nothing."""
    import torch

    def multiply(embeddings, labels):
        tiles, sheet = embeddings.split(512), torch.empty(512 * 512)
        for place, rows in enumerate(tiles):
            for others in tiles[place:]:
                torch.mm(rows, others.T, out=sheet[: len(rows) * len(others)].view(len(rows), len(others)))
        return {}

    return multiply


def made_up(items: int, dims: int, classes: int):
    """Unit embeddings of noisy classes with at least two items each, in no order."""
    import torch

    draw = torch.Generator().manual_seed(0)
    extra = torch.randint(0, classes, (items - 2 * classes,), generator=draw)
    labels = torch.cat([torch.arange(classes).repeat(2), extra])
    labels = labels[torch.randperm(items, generator=draw)]
    centres = torch.randn(classes, dims, generator=draw)
    rows = 0.5 * centres[labels] + torch.randn(items, dims, generator=draw)
    return torch.nn.functional.normalize(rows), labels


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
