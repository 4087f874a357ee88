"""Images per second that EfficientNet-Lite0 trains end to end on one thread, by class of arithmetic and memory format.

    python tests/benchmarks/bench_trunks.py [64 96 128]

Each class computes in a process of its own, because its variables are read when the libraries load. The harness trains
as `protocols/finetuned_small.yaml` says, with its augmentation; the bare loop trains the same model on random images
that are in memory, in the format of the trunk (channels last) and in that of a new tensor (contiguous). The figures are
in processor seconds, so that other work on the machine disturbs them less.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from bench_pixels import write_photos

from realitycheck import losses, verbs
from realitycheck.arithmetic import MENU, obstacle, unpinned
from realitycheck.check.weight_files import weights_file
from realitycheck.plan.specs import DatasetPlan
from realitycheck.runs import TrainingPlace
from realitycheck.training.assemble import assemble
from realitycheck.training.device import autocast
from realitycheck.training.loop import Trainer

CLASSES = ("x86-avx2", "x86-avx512", "cpu-fp32", "cpu-bf16")
SIZES, STEPS, REPEATS, BATCH = (64, 96, 128), 3, 5, 32
KNOBS = {"pos_margin": 0.2, "neg_margin": 0.8, "trunk_lr": 1e-5, "embedder_lr": 1e-4}
STUDY = """\
study: trunks
question: How many images a second?
protocol: finetuned_small
override: {{recipe.arithmetic: {name}, recipe.image_size: {size}, recipe.resize: {resize}}}
datasets: {{folder: {{root: photos}}}}
losses: {{contrastive: {{}}}}
baseline: contrastive
primary: {{category: complete, metric: map_at_r}}
smallest_difference: 0.5
"""


def main() -> None:
    """Print a line for each size and class."""
    sizes = [int(text) for text in sys.argv[1:]] or list(SIZES)
    with tempfile.TemporaryDirectory() as name:
        write_photos(Path(name) / "photos", classes=48, each=20)
        print("size  class        harness  bare loop  ratio  contiguous   (images/s, one thread)")
        for size in sizes:
            for each in CLASSES:
                if reason := obstacle(each):
                    print(f"{size:4}  {each:11}  {reason}")
                    continue
                environment = os.environ | {"OMP_NUM_THREADS": "1"} | unpinned(each)
                subprocess.run([sys.executable, __file__, "--one", name, each, str(size)], env=environment, check=True)


def _one(home: Path, name: str, size: int) -> None:
    """Time one class in this process."""
    torch.set_num_threads(1)
    file = home / "trunks.yaml"
    file.write_text(STUDY.format(name=name, size=size, resize=size * 9 // 8))
    trainer, again = _trainer(file), _trainer(file)
    ways = {
        "harness": lambda: trainer.advance(STEPS),
        "bare": _bare(again, name, size, torch.channels_last),
        "contiguous": _bare(_trainer(file), name, size, torch.contiguous_format),
    }
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(REPEATS + 1):
        for way, work in ways.items():
            seconds[way].append(_seconds(work))
    speed = {way: BATCH * STEPS / statistics.median(each[1:]) for way, each in seconds.items()}
    ratio = statistics.median(one / two for one, two in zip(seconds["harness"][1:], seconds["bare"][1:], strict=True))
    print(
        f"{size:4}  {name:11}  {speed['harness']:7.0f}  {speed['bare']:9.0f}  {ratio:5.2f}  {speed['contiguous']:10.0f}"
    )


def _trainer(file: Path) -> Trainer:
    read = verbs.load_study(file)
    (stores,) = verbs.prepare_data(read).values()
    weights = str(weights_file(read, read.study.protocol))
    plan = DatasetPlan(study=read.study, dataset="folder", data=stores.trainval_digest, test=None)
    spec = plan.losses[0].searches[0].trial_runs(slot=0, knobs=KNOBS)[0]
    place = TrainingPlace(trainval=str(stores.trainval), cache=str(file.parent), device="cpu", weights=weights)
    return assemble(spec, place)[0]


def _bare(trainer: Trainer, name: str, size: int, memory_format: torch.memory_format) -> Callable[[], object]:
    """The same model, loss and optimiser in the shortest loop that one would write by hand."""
    model = trainer.model
    loss = losses.build("contrastive", num_classes=10, embedding_dim=model.dims, pos_margin=0.2, neg_margin=0.8)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
    labels = torch.arange(8).repeat_interleave(4)
    images = torch.randint(256, (BATCH, 3, size, size), dtype=torch.uint8)
    assert model.trunk is not None
    model.trunk.to(memory_format=memory_format)

    def train() -> None:
        model.train()
        for _ in range(STEPS):
            with autocast(MENU[name].precision, torch.device("cpu")):
                embeddings = model(images)
            value = loss(embeddings.float(), labels)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()

    def contiguous() -> None:
        """Train with the trunk's own change of format left out."""
        change = torch.Tensor.contiguous
        torch.Tensor.contiguous = lambda tensor, **_: change(tensor)
        try:
            train()
        finally:
            torch.Tensor.contiguous = change

    return train if memory_format == torch.channels_last else contiguous


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        _one(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
    else:
        main()
