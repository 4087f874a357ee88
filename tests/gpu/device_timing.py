"""Speed on a device: steps of the trunks, several processes on one device, scoring, and the largest batch.

The loops are bare: the batch is on the device. So they show what a harness could reach, not what it does. Weights are
random. CUDA graphs are made by `torch.cuda.graph` and capture a whole step.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from pathlib import Path

import torch
from device_steps import _caught

KNOBS = {"alpha": 2.0, "beta": 40.0, "base": 0.5}

MODES = {
    "fp32": {"graph": False, "precision": "fp32"},
    "tf32": {"graph": False, "precision": "tf32"},
    "bf16": {"graph": False, "precision": "bf16"},
    "fp32, graph": {"graph": True, "precision": "fp32"},
    "tf32, graph": {"graph": True, "precision": "tf32"},
    "bf16, graph": {"graph": True, "precision": "bf16"},
}


class Loop:
    """A bare training loop of one trunk: steps on one static batch of random images."""

    def __init__(self, trunk, batch, *, side, device, precision, graph):
        from realitycheck import losses
        from realitycheck.catalog import build_trunk
        from realitycheck.protocol.recipe import TrunkChoice

        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
        torch.manual_seed(0)
        trunk = build_trunk(TrunkChoice(name=trunk), in_channels=3)
        head = torch.nn.Linear(trunk.output_dim, 128)
        self.model = torch.nn.ModuleList([trunk, head]).to(device).to(memory_format=torch.channels_last).train()
        self.loss = losses.build("multi_similarity", num_classes=100, embedding_dim=128, **KNOBS).to(device)
        self.images = torch.randint(0, 256, (batch, 3, side, side), dtype=torch.uint8, device=device)
        self.labels = (torch.arange(batch, device=device) // 4).long()
        self.device, self.half = device, precision == "bf16"
        self.optimizer = torch.optim.RMSprop(self.model.parameters(), lr=1e-6, foreach=True, capturable=graph)
        self.step = self._captured() if graph else self._eager

    def _eager(self):
        with torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.half, cache_enabled=False):
            trunk, head = self.model
            pixels = self.images.float().div(255).contiguous(memory_format=torch.channels_last)
            maps = trunk(pixels)
            points = head(maps.mean(dim=(2, 3)) + maps.amax(dim=(2, 3)))
        value = self.loss(points.float(), self.labels)
        self.optimizer.zero_grad()
        value.backward()
        self.optimizer.step()
        return value

    def _captured(self):
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self._eager()
        torch.cuda.current_stream().wait_stream(side)
        self.optimizer.zero_grad()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._eager()
        return graph.replay

    def seconds(self, steps, *, most):
        """Seconds a step, over this number of steps, or as many as fit."""
        for _ in range(3):
            self.step()
        wait(self.device)
        start, done = time.perf_counter(), 0
        while done < steps and time.perf_counter() - start < most:
            self.step()
            done += 1
            wait(self.device) if done % 10 == 0 else None
        wait(self.device)
        return (time.perf_counter() - start) / done


def trunks(size, device, save):
    """Two equal steps of every trunk in every arithmetic: the same bits, and no operation that a run would refuse."""
    rows = []
    for trunk in ("bn_inception", "efficientnet_lite0", "resnet50"):
        for precision in ("fp32", "tf32", "bf16") if device == "cuda" else ("fp32",):
            row = {"trunk": trunk, "precision": precision}
            rows.append({**row, **_caught(lambda t=trunk, p=precision: _trunk_row(t, p, size, device))})
            save({"says": _unequal(rows), "tables": {"Trunks, three steps each, deterministic": rows}})


def _unequal(rows):
    bad = [f"FAILED: {row['trunk']}, {row['precision']}: differs" for row in rows if row.get("repeats") is False]
    return [*_failed(rows), *bad] or [f"All {len(rows)} repeat bit for bit."]


def _trunk_row(trunk, precision, size, device):
    clear(device)
    prepare(deterministic=True)
    torch.use_deterministic_algorithms(mode=True)
    weights = []
    for _ in range(2):
        loop = Loop(trunk, size["batch"], side=size["side"], device=device, precision=precision, graph=False)
        losses = [loop.step().detach().cpu() for _ in range(3)]
        weights.append([*losses, *(tensor.cpu() for tensor in loop.model.state_dict().values())])
    return {"repeats": all(torch.equal(one, two) for one, two in zip(*weights, strict=True))}


def steps(size, device, save):
    """Milliseconds a step and images a second of three trunks in every arithmetic, eager and as a graph."""
    prepare(deterministic=True)
    rows = []
    trunks = [("bn_inception", True), ("bn_inception", False), ("efficientnet_lite0", True), ("resnet50", True)]
    for trunk, deterministic in trunks:
        for mode, options in MODES.items():
            if device == "cpu" and mode != "fp32":
                continue
            prepare(deterministic=deterministic)
            row = {"trunk": trunk, "deterministic": deterministic, "mode": mode, "batch": size["batch"]}
            rows.append({**row, **_caught(lambda t=trunk, o=options: _step_row(t, o, size, device))})
            save({"says": _failed(rows), "tables": {"Steps": rows}})


def prepare(*, deterministic):
    """Set what a run of the harness sets, but only warn: `trunks` names the operations that a run would refuse."""
    torch.use_deterministic_algorithms(mode=deterministic, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.backends.cudnn.benchmark = False


def _step_row(trunk, options, size, device):
    clear(device)
    loop = Loop(trunk, size["batch"], side=size["side"], device=device, **options)
    seconds = loop.seconds(size["timed"], most=size["most"])
    peak = {"peak GiB": round(torch.cuda.max_memory_allocated() / 2**30, 2)} if device == "cuda" else {}
    return {"ms a step": round(1000 * seconds, 3), "images a second": round(size["batch"] / seconds), **peak}


def processes(size, device, save):
    """Images a second of one, two and four processes on one device: all begin and end at the same times."""
    import tempfile

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
    """Steps a second until a time."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = mode == "tf32"
    begin, done = time.time(), 0
    while not done or time.time() < end:
        loop.step()
        wait(device)
        done += 1
    return done / (time.time() - begin)


def scoring(size, device, save):
    """Scores of as many embeddings as SOP's test half has, on the CPU and on the device, and the product alone."""
    from realitycheck.metrics import retrieval_scores

    items, dims, classes = size["scored"], 512, max(2, round(size["scored"] * 11_316 / 60_502))
    draw = torch.Generator().manual_seed(0)
    more = torch.randint(classes, (items - 2 * classes,), generator=draw)
    labels = torch.cat([torch.arange(classes).repeat(2), more])
    centres = torch.randn(classes, dims, generator=draw)
    points = torch.nn.functional.normalize(0.5 * centres[labels] + torch.randn(items, dims, generator=draw))
    rows = []

    def timed(what, work, *, where):
        rows.append({"what": what, "items": items, "dims": dims, **_caught(lambda: _seconds(work, where))})
        save({"says": _failed(rows), "tables": {"Scoring": rows}})

    def ours(points, labels):
        return lambda: retrieval_scores(points, labels, distance="cosine")

    there, cores = (points.to(device), labels.to(device)), f"{torch.get_num_threads()} threads"
    for name, tf32 in (("float32", False), ("tf32", True)):
        torch.backends.cuda.matmul.allow_tf32 = tf32
        timed(f"the matrix product alone, {device}, {name}", lambda: _product(there[0]), where=device)
    torch.backends.cuda.matmul.allow_tf32 = False
    timed(f"scores, {device}", ours(*there), where=device)
    if device != "cpu":
        timed(f"the matrix product alone, CPU, {cores}", lambda: _product(points), where="cpu")
        timed(f"scores, CPU, {cores}", ours(points, labels), where="cpu")


def _product(points):
    for start in range(0, len(points), 4096):
        points[start : start + 4096] @ points.T


def _seconds(work, where):
    if where == "cuda":
        work()  # the first call loads kernels
    wait(where)
    start = time.perf_counter()
    answer = work()
    wait(where)
    found = {"seconds": round(time.perf_counter() - start, 3)}
    return found | ({"MAP@R": answer["map_at_r"]} if answer else {})


def batches(size, device, save):
    """The largest batch of BN-Inception that fits, by doubling, and its images a second."""
    prepare(deterministic=True)
    rows = []
    for precision in ("tf32", "bf16") if device == "cuda" else ("fp32",):
        for batch in size["batches"]:
            rows.append({"precision": precision, "batch": batch, **_batch_row(batch, precision, size, device)})
            save({"says": [], "tables": {"Batches, BN-Inception": rows}})
            if "does not fit" in rows[-1]:
                break


def _batch_row(batch, precision, size, device):
    clear(device)
    try:
        options = {"side": size["side"], "device": device, "graph": False, "precision": precision}
        seconds = Loop("bn_inception", batch, **options).seconds(10, most=size["most"])
    except RuntimeError as error:  # cuDNN has errors of its own for too little memory
        return {"does not fit": f"{type(error).__name__}: {str(error)[:100]}"}
    peak = round(torch.cuda.max_memory_allocated() / 2**30, 2) if device == "cuda" else ""
    return {"images a second": round(batch / seconds), "peak GiB": peak}


def clear(device):
    """Free what an earlier loop held."""
    if device == "cuda":
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def wait(device):
    """Wait for the device."""
    torch.cuda.synchronize() if device == "cuda" else None


def _failed(rows):
    return [f"FAILED: {list(row.values())[:3]}: {row['error']}" for row in rows if "error" in row]


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    child(json.loads(sys.argv[1]))
