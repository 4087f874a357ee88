"""Images a second of several processes on one device. Each is this file, with its part of the work in JSON."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from device_loops import MODES, WAITED, Loop, prepare, wait


def processes(size, device, save):
    """Images a second of one, two and four processes on one device: all begin and end at the same times."""
    modes = ["tf32", "bf16", "bf16, graph"] if device == "cuda" else ["fp32"]
    rounds = [(count, mode) for mode in modes for count in size["counts"]]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        work = {"rounds": rounds, "modes": modes, "batch": size["batch"], "side": size["side"]}
        work |= {"device": device, "span": size["span"]}
        children = [_child({**work, "number": number, "folder": folder}) for number in range(max(size["counts"]))]
        try:
            while not all((Path(folder) / f"ready{number}").exists() for number in range(len(children))):
                if any(child.poll() is not None for child in children):
                    raise RuntimeError(next(child for child in children if child.poll() is not None).stderr.read())
                time.sleep(0.05)
            (Path(folder) / "draft").write_text(str(time.time() + 1))
            (Path(folder) / "draft").rename(Path(folder) / "go")
            answers = [json.loads(child.communicate()[0].splitlines()[-1]) for child in children]
        finally:
            for child in children:
                child.kill()
    for index, (count, mode) in enumerate(rounds):
        rate = size["batch"] * sum(answer[index] for answer in answers)
        rows.append({"mode": mode, "processes": count, "images a second, all together": round(rate)})
    save({"says": [], "tables": {"Processes on one device, BN-Inception": rows}})


def _child(work):
    command = [sys.executable, __file__, json.dumps(work)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def child(work):
    """Print the steps a second of each round; a process that has no part in a round waits."""
    torch.set_num_threads(1)
    prepare(deterministic=True)
    loops = {}
    for mode in work["modes"]:
        loops[mode] = Loop("bn_inception", work["batch"], side=work["side"], device=work["device"], **MODES[mode])
        loops[mode].step()
    wait(work["device"])
    folder, rates = Path(work["folder"]), []
    (folder / f"ready{work['number']}").touch()
    while not (folder / "go").exists():
        time.sleep(0.02)
    start = float((folder / "go").read_text())
    for index, (count, mode) in enumerate(work["rounds"]):
        begin = start + index * (work["span"] + 1)
        time.sleep(max(0.0, begin - time.time()))
        rates.append(_rate(loops[mode], mode, begin + work["span"], work["device"]) if work["number"] < count else 0)
    print(json.dumps(rates))


def _rate(loop, mode, end, device):
    """Steps a second until a time; the last ones end a little after it."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = mode == "tf32"
    begin, done = time.time(), 0
    while not done or time.time() < end:
        loop.step()
        done += 1
        wait(device) if done % WAITED == 0 else None
    wait(device)
    return done / (time.time() - begin)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    child(json.loads(sys.argv[1]))
