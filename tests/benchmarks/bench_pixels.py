"""Images per second, ready for a training step: the pixel store against torchvision's ImageFolder and a DataLoader.

Equal transforms (a random resized crop from 144 to 112 pixels, a flip), batches of 32, two cores: two processes draw
batches, as two runs side by side do, against a DataLoader with two workers. Both begin with photos in JPEG; the store
has decoded them once before, and what that cost is printed.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from realitycheck.datasets.members.folder import Folder
from realitycheck.protocol.read import read_protocol
from realitycheck.protocol.recipe import Augment, Crop, Recipe
from realitycheck.stores.decode_parts import KeptImages
from realitycheck.stores.open import open_store
from realitycheck.stores.prepare import prepare

CLASSES, EACH, BATCH, SECONDS, CORES = 20, 100, 32, 10.0, 2
RULE = Augment(shift=0, flip=0.5, crop=Crop(scale=(0.16, 1.0), ratio=(0.75, 1.3333)))


def main() -> None:
    """Make photos, time both, and print the ratio."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_photos(root / "photos", classes=CLASSES, each=EACH)
        protocol = read_protocol(Path("protocols/quick.yaml")).value
        recipe = protocol.recipe.model_copy(update={"image_size": 112, "resize": 144, "augment": RULE})
        start = time.perf_counter()
        folder = Folder(root=str(root / "photos"))
        stores = prepare(folder, root, split=protocol.split, kept=KeptImages(144, "whole"), watch=lambda *_: None)
        made = CLASSES * EACH / (time.perf_counter() - start)
        pairs = [(_ours(stores.trainval, recipe), _theirs(root / "photos")) for _ in range(3)]
    ours, theirs = (float(np.median(each)) for each in zip(*pairs, strict=True))
    print(f"pixel store, {CORES} processes      {ours:8,.0f} images/s")
    print(f"DataLoader, {CORES} workers        {theirs:8,.0f} images/s")
    print(f"ratio                        {ours / theirs:8.2f}   (aim: 2.5 or more)")
    print(f"making the store, once       {made:8,.0f} images/s")


def write_photos(root: Path, *, classes: int, each: int) -> None:
    """Smooth noise of a photo's size in bytes: about 8 kB at 144 × 192 pixels."""
    random = np.random.default_rng(0)
    for label in range(classes):
        (root / f"{label:02d}").mkdir(parents=True)
        for index in range(each):
            coarse = Image.fromarray(random.integers(0, 256, (36, 48, 3), dtype=np.uint8))
            coarse.resize((192, 144), Image.Resampling.BICUBIC).save(
                root / f"{label:02d}" / f"{index:03d}.jpg", quality=90
            )


def _ours(path: Path, recipe: Recipe) -> float:
    with multiprocessing.get_context("forkserver").Pool(CORES) as pool:
        return sum(pool.starmap(_draw, [(str(path), recipe.model_dump_json(), seed) for seed in range(CORES)]))


def _draw(path: str, text: str, seed: int) -> float:
    """Images per second of one process."""
    torch.set_num_threads(1)
    store, recipe = open_store(Path(path)), Recipe.model_validate_json(text)
    generator = torch.Generator().manual_seed(seed)
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        indices = torch.randint(len(store.labels), (BATCH,), generator=generator).numpy()
        store.drawn(indices, recipe=recipe, generator=generator, device=torch.device("cpu"))
        count += BATCH
    return count / (time.perf_counter() - start)


def _theirs(root: Path) -> float:
    warnings.simplefilter("ignore")
    from torchvision import datasets, transforms

    steps = [transforms.RandomResizedCrop(112, scale=RULE.crop.scale, ratio=RULE.crop.ratio)]
    steps += [transforms.RandomHorizontalFlip(0.5), transforms.PILToTensor()]
    photos = datasets.ImageFolder(root, transforms.Compose(steps))
    loader = torch.utils.data.DataLoader(
        photos, batch_size=BATCH, shuffle=True, num_workers=CORES, persistent_workers=True, drop_last=True
    )
    for _ in loader:  # the workers start
        pass
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        count += sum(len(labels) for _, labels in loader)
    return count / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
