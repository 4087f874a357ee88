"""Correctness and speed on this machine's GPU, or on its CPU: one Markdown page and one JSON file.

    make gpu
    python tests/gpu/measure_device.py --out docs/measured

Every step is a process with a limit of its own. The page lists what fails or is stopped, and the script goes on.
Without a GPU everything is smaller. Nothing is downloaded.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

STEPS = {
    "facts": ("device_steps", 30),
    "steps": ("device_timing", 55),
    "scoring": ("device_timing", 30),
    "processes": ("device_processes", 45),
    "losses": ("device_steps", 45),
    "trunks": ("device_timing", 35),
    "harness": ("device_harness", 35),
    "study": ("device_study", 50),
    "graphs": ("device_harness", 40),
    "runs": ("device_steps", 20),
    "metrics": ("device_steps", 15),
    "draws": ("device_steps", 10),
    "batches": ("device_timing", 15),
    "mps": ("device_mps", 25),
}
"""Name → module, and its seconds on a GPU; what earlier ones did not use is added. All fit into the minutes."""

MINUTES = 7.5
"""For all steps, on a GPU."""

CPU_PATIENCE = 5
"""Factor on these limits on a CPU."""

SIZES = {
    "full": {
        "losses": None, "items": 4000, "run_steps": 40, "study_steps": 40,
        "batch": 32, "side": 227, "timed": 60, "most": 2.0, "counts": [1, 2, 4], "span": 1.5, "harness_side": 227,
        "scored": 60_502, "batches": [64, 128, 256, 512, 1024, 2048, 4096],
    },
    "small": {
        "losses": None, "items": 400, "run_steps": 8, "study_steps": 20,
        "batch": 8, "side": 64, "timed": 5, "most": 2.0, "counts": [1, 2], "span": 2.0, "harness_side": 96,
        "scored": 4000, "batches": [8, 16],
    },
    "tiny": {
        "losses": 2, "items": 80, "run_steps": 8, "study_steps": 10,
        "batch": 8, "side": 64, "timed": 1, "most": 0.1, "counts": [1], "span": 0.2, "harness_side": 64,
        "scored": 200, "batches": [8],
    },
}  # fmt: skip


def main() -> None:
    """Run all steps, and write page and JSON after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "measured")
    parser.add_argument("--device", choices=("cuda", "cpu"), help="cuda where there is one")
    parser.add_argument("--size", choices=SIZES, help="full on cuda, small on a CPU")
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--minutes", type=float, help="for everything; steps that no longer fit are named")
    parser.add_argument("--commit", default=os.environ.get("COMMIT"), help="of the files, where git does not know it")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.device = args.device or _device()
    args.size = args.size or ("full" if args.device == "cuda" else "small")
    args.minutes = args.minutes or MINUTES * _patience(args.device)
    one_step(args) if args.step else all_steps(args)


def one_step(args) -> None:
    """Do one step in this process."""
    sys.path[:0] = [str(HERE), str(ROOT)]
    work = getattr(import_module(STEPS[args.step][0]), args.step)
    work(SIZES[args.size], args.device, lambda result: _write(args.out, json.dumps(result)))


def all_steps(args) -> None:
    """Do every step in a process of its own."""
    args.out.mkdir(parents=True, exist_ok=True)
    due = time.monotonic()
    end = due + 60 * args.minutes
    found = {"commit": args.commit or _commit(), "date": f"{datetime.now(UTC):%Y-%m-%d}", "size": args.size}
    found |= {"device": args.device, "steps": {}}
    with tempfile.TemporaryDirectory() as folder:
        env = _environment(Path(folder), args.device)
        for name in args.steps:
            due += STEPS[name][1] * _patience(args.device)
            limit = min(due, end) - time.monotonic()
            found["steps"][name] = _step(name, args, limit, env, Path(folder))
            _publish(args.out, found)
            says = " ".join(found["steps"][name]["says"])[:300]
            print(f"{name:<10} {found['steps'][name]['seconds']:>6.1f} s  {says}", flush=True)


def _step(name, args, limit, env, folder):
    if limit < 5:
        return {"says": ["STOPPED: not begun, no time was left."], "tables": {}, "seconds": 0.0}
    place = folder / f"{name}.json"
    options = ["--device", args.device, "--size", args.size, "--out", place, "--step", name]
    command = [sys.executable, "-W", "ignore", __file__, *options]
    start = time.monotonic()
    end = ""
    # A group of its own, so that its children end with it.
    process = subprocess.Popen(
        [str(part) for part in command], env=env, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        _, errors = process.communicate(timeout=limit)
        if process.returncode:
            end = f"FAILED: the step ended with {process.returncode}: {errors[-1500:]}"
    except subprocess.TimeoutExpired:
        end = f"STOPPED after {limit:.0f} s; what it had measured by then is below."
    finally:
        _kill(process)
    result = json.loads(place.read_text()) if place.exists() else {"says": [], "tables": {}}
    result["says"] += [end] if end else []
    return {**result, "seconds": round(time.monotonic() - start, 1)}


def _kill(process):
    try:
        os.killpg(process.pid, 9)
    except ProcessLookupError:
        return
    process.wait()


def _patience(device: str) -> int:
    return CPU_PATIENCE if device == "cpu" else 1


def _environment(folder: Path, device: str) -> dict[str, str]:
    """Let children import this checkout; without an installed package it gets the metadata that `run` notes."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    try:
        version("realitycheck")
    except PackageNotFoundError:
        number = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[1]
        info = folder / "site" / f"realitycheck-{number}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: realitycheck\nVersion: {number}\n")
        paths.insert(0, str(info.parent))
    # cuBLAS repeats its bits only if this is set before its first use.
    pinned = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
    if device == "cpu":  # as a run has; on a busy machine two that wait for each other took 60 times as long
        pinned["OMP_NUM_THREADS"] = "1"
    return os.environ | pinned | {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}


def _publish(out: Path, found) -> None:
    machine = {row["what"]: row["is"] for row in found["steps"].get("facts", {}).get("tables", {}).get("Machine", [])}
    name = re.sub(r"[^a-z0-9]+", "-", machine.get("device", found["device"]).lower()).strip("-")
    _write(out / f"{name}-{found['date']}.json", json.dumps(found, indent=1) + "\n")
    _write(out / f"{name}-{found['date']}.md", page(found, machine))


def page(found, machine) -> str:
    """The page of what was found."""
    lines = [f"# {machine.get('device', found['device'])}, {found['date']}", ""]
    lines += [f"Commit {found['commit']}; sizes: {found['size']}; made by `make gpu`.", ""]
    bad = [(name, says) for name, step in found["steps"].items() for says in step["says"] if _is_bad(says)]
    lines += ["## What failed", ""]
    lines += [f"- {name}: {_cell(says)}" for name, says in bad] or ["Nothing."]
    for name, step in found["steps"].items():
        lines += ["", f"## {name} ({step['seconds']} s)", ""]
        lines += [f"- {_cell(says)}" for says in step["says"] if not _is_bad(says)]
        for title, rows in step["tables"].items():
            lines += ["", f"### {title}", "", *_table(rows)]
    return "\n".join(lines) + "\n"


def _is_bad(says):
    return says.startswith(("FAILED", "STOPPED"))


def _table(rows):
    names = list(dict.fromkeys(name for row in rows for name in row))
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(_cell(row.get(name, '')) for name in names)} |"


def _cell(value) -> str:
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1e-2 else f"{value:g}"
    return re.sub(r"\s+", " ", str(value)).replace("|", "\\|")[:1500]


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.draft")
    draft.write_text(text)
    draft.replace(path)


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
