"""Speed on a device: steps of the trunks, scoring, and the largest batch; and whether steps of the trunks repeat.

The loops are bare: the batch is on the device. So they show what a harness could reach, not what it does. Weights are
random. CUDA graphs are made by `torch.cuda.graph` and capture a whole step.
"""

from __future__ import annotations

import time
from importlib.util import find_spec

import torch
from device_loops import MODES, Loop, clear, prepare, wait
from device_steps import _caught

TOKENS, PATCH = "timm_class_token:vit_small_patch14_dinov2", 14
"""A model whose positions are those of 518 pixels; sides are multiples of the patch."""


def trunks(size, device, save):
    """Equal steps of the large trunks in every arithmetic: the same bits, and no operation that a run would refuse."""
    rows, tokens = [], (TOKENS,) if find_spec("timm") else ()
    for trunk in ("bn_inception", "efficientnet_lite0", "resnet50", *tokens):
        for precision in ("fp32", "tf32", "bf16") if device == "cuda" else ("fp32",):
            row = {"trunk": trunk, "precision": precision}
            rows.append({**row, **_caught(lambda t=trunk, p=precision: _trunk_row(t, p, size, device))})
            says = _unequal(rows) + ([] if tokens else ["timm is not installed, so its trunks were left out."])
            save({"says": says, "tables": {"Trunks, three steps each, deterministic": rows}})


def _unequal(rows):
    bad = [f"FAILED: {row['trunk']}, {row['precision']}: differs" for row in rows if row.get("repeats") is False]
    return [*_failed(rows), *bad] or [f"All {len(rows)} repeat bit for bit."]


def _trunk_row(trunk, precision, size, device):
    clear(device)
    prepare(deterministic=True)
    torch.use_deterministic_algorithms(mode=True)
    weights, side = [], size["side"] // PATCH * PATCH if trunk == TOKENS else size["side"]
    for _ in range(2):
        loop = Loop(trunk, size["batch"], side=side, device=device, precision=precision, graph=False)
        losses = [loop.step().detach().cpu() for _ in range(3)]
        weights.append([*losses, *(tensor.cpu() for tensor in loop.model.state_dict().values())])
    return {"repeats": all(torch.equal(one, two) for one, two in zip(*weights, strict=True))}


def steps(size, device, save):
    """Milliseconds a step and images a second of three trunks in every arithmetic, eager and as a graph."""
    rows = []
    for trunk, deterministic, modes in _timed(device):
        for mode, options in modes.items():
            prepare(deterministic=deterministic)
            row = {"trunk": trunk, "deterministic": deterministic, "mode": mode, "batch": size["batch"]}
            rows.append({**row, **_caught(lambda t=trunk, o=options: _step_row(t, o, size, device))})
            save({"says": _failed(rows), "tables": {"Steps": rows}})


def _timed(device):
    """Trunk, whether kernels are deterministic, and modes; memory is in channels last but in one of them."""
    modes = MODES if device == "cuda" else {"fp32": MODES["fp32"]}
    last = list(modes)[-1].partition(",")[0]
    yield "bn_inception", True, modes
    yield "bn_inception", True, {f"{last}, contiguous": {**modes[last], "contiguous": True}}
    yield "bn_inception", False, modes
    yield "efficientnet_lite0", True, modes
    yield "resnet50", True, modes


def _step_row(trunk, options, size, device):
    clear(device)
    loop = Loop(trunk, size["batch"], side=size["side"], device=device, **options)
    seconds = loop.seconds(size["timed"], most=size["most"])
    peak = {"peak GiB": round(torch.cuda.max_memory_allocated() / 2**30, 2)} if device == "cuda" else {}
    return {"ms a step": round(1000 * seconds, 3), "images a second": round(size["batch"] / seconds), **peak}


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


def _failed(rows):
    return [f"FAILED: {list(row.values())[:3]}: {row['error']}" for row in rows if "error" in row]
