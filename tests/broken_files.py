"""Generated images, archives and plug-ins that are damaged or strange, and what reads them."""

from __future__ import annotations

import io
import random
import shutil
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from exif_files import ORIENTATION, encoded, jpeg, png, tiff, webp
from small_study import STUDY, write_study

from realitycheck import verbs
from realitycheck.datasets.fetching.archive import LIMITS, extract
from realitycheck.datasets.members.folder import Folder
from realitycheck.errors import InputError
from realitycheck.protocol.split_keys import SplitRule
from realitycheck.stores.decode_parts import KeptImages
from realitycheck.stores.prepare import prepare

READ, REFUSED = "read", "refused"
CLASSES, EACH = 4, 25
"""Of a folder of images, which is read as a whole."""

SIDE, SIZE = 20, 16
"""Of an image as it is, and as it is read, in pixels."""


def mutated(content: bytes, draw: random.Random, *, other: bytes) -> bytes:
    """A file with some of its bytes changed, cut, doubled, or mixed with those of another file."""
    changed, kind = (
        bytearray(content),
        draw.choice(("flip", "flip", "bytes", "cut", "drop", "double", "splice", "fill")),
    )
    place = draw.randrange(len(changed))
    length = draw.choice((1, 4, 64, 512))
    if kind == "flip":
        for _ in range(draw.choice((1, 1, 8))):
            changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    elif kind == "bytes":
        changed[place : place + 4] = draw.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\x01"))
    elif kind == "cut":
        del changed[place:]
    elif kind == "drop":
        del changed[place : place + length]
    elif kind == "double":
        changed[place:place] = changed[place : place + length]
    elif kind == "splice":
        changed[place:] = other[draw.randrange(len(other)) :]
    else:
        changed[place : place + length] = draw.randbytes(length)
    return bytes(changed)


def _pictures() -> list[bytes]:
    pixels = np.random.default_rng(0).integers(0, 256, size=(SIDE, SIDE, 3), dtype=np.uint8)
    kinds = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
    return [*(encoded(kind, pixels) for kind in kinds), *(make(tiff(ORIENTATION)) for make in (jpeg, png, webp))]


def read_images(folder: Path, *, count: int, seed: int) -> Counter[str]:
    """Read folders of mutated images as a study would; any error but that of the input is raised."""
    draw, good, answers = random.Random(seed), _pictures(), Counter[str]()
    for _ in range(0, count, CLASSES * EACH):
        shutil.rmtree(folder, ignore_errors=True)
        for number in range(CLASSES):
            (folder / "images" / f"class{number}").mkdir(parents=True)
            for name in ("a.png", "b.png"):
                (folder / "images" / f"class{number}" / name).write_bytes(good[0])
            for each in range(EACH):
                content = mutated(draw.choice(good), draw, other=draw.choice(good))
                suffix = draw.choice((".png", ".jpg", ".webp", ".tif"))
                (folder / "images" / f"class{number}" / f"{each}{suffix}").write_bytes(content)
        bad = _bad_images(folder)
        answers[REFUSED] += bad
        answers[READ] += CLASSES * EACH - bad
    return answers


def _bad_images(folder: Path) -> int:
    """How many images are refused, each by its name and a code; without these the rest is prepared."""
    rule = SplitRule(order="sorted", seed=0)
    names: set[str] = set()
    for _ in range(CLASSES * EACH):
        try:
            dataset = Folder(root=str(folder / "images"))
            prepare(dataset, folder / "stores", split=rule, kept=KeptImages(SIZE, "middle"), watch=lambda *_: None)
            break
        except InputError as error:
            found = {str(problem.where or error.source) for problem in error.problems}
            assert error.problems and all(problem.code and problem.says for problem in error.problems)
            new = {path for path in (folder / "images").rglob("*.*") if f"{path.parent.name}/{path.name}" in found}
            assert new, found
            for path in new:
                names.add(str(path))
                path.unlink()
    return len(names)


def _archives() -> list[bytes]:
    content = {"top/a.txt": b"alpha" * 50, "top/deep/b.bin": bytes(range(256)) * 4, "top/empty": b""}
    made = []
    for mode in ("w", "w:gz", "w:bz2"):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode=mode) as file:
            for name, data in content.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                file.addfile(info, io.BytesIO(data))
        made.append(out.getvalue())
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as zipped:
            for name, data in content.items():
                zipped.writestr(name, data)
        made.append(out.getvalue())
    return made


def extract_archives(folder: Path, *, count: int, seed: int) -> Counter[str]:
    """Extract mutated archives: all into the new folder, or nothing at all."""
    draw, good, answers = random.Random(seed), _archives(), Counter[str]()
    folder.mkdir(parents=True)
    archive, target = folder / "data", folder / "out"
    for _ in range(count):
        archive.write_bytes(mutated(draw.choice(good), draw, other=draw.choice(good)) or b"\0")
        try:
            extract(archive, target, limits=LIMITS)
            answers[READ] += 1
            shutil.rmtree(target)
        except InputError as error:
            assert all(problem.code and problem.says for problem in error.problems)
            answers[REFUSED] += 1
        assert list(folder.iterdir()) == [archive]
    return answers


HEADS = (
    "",
    "import torch\n",
    "import no_such_module\n",
    "raise {error}('at import')\n",
    "import sys; sys.exit({number})\n",
)
BASES = ("nn.Module", "nn.Module", "nn.Module", "object", "Exception", "type")
INITS = (
    "",
    "super().__init__()",
    "super().__init__(); self.w = nn.Parameter(torch.zeros({number}))",
    "super().__init__(); self.w = [torch.zeros({number}, requires_grad=True)]",
    "raise {error}('in the constructor')",
    "super().__init__(); self.register_buffer('b', torch.zeros({number}))",
    "super().__init__(); import os; os._exit({number})",
)
FORWARDS = (
    "return (e[:, 0] * y).sum()",
    "return e.mean() * {number}",
    "return e.square().mean() + self.w.sum()",
    "return e.detach().mean()",
    "return e",
    "return None",
    "return float('nan') * e.sum()",
    "return (e * 0).sum().sqrt() + e.sum() / 0",
    "raise {error}('in forward')",
    "import os, signal; os.kill(os.getpid(), signal.{signal})",
    "return e[{number}:, 0].sum() / e[{number}:, 0].numel()",
    "e.mul_(2); return e.sum()",
    "return torch.zeros((), dtype=torch.float16, requires_grad=True)",
    "return e.sum(",
)
ERRORS = ("ValueError", "MemoryError", "KeyboardInterrupt", "SystemExit", "RecursionError", "OSError", "StopIteration")
SIGNALS = ("SIGKILL", "SIGSEGV", "SIGABRT", "SIGTERM")


def _plug_in(draw: random.Random) -> str:
    head, base = draw.choice(HEADS), draw.choice(BASES)
    init, forward = draw.choice(INITS), draw.choice(FORWARDS)
    lines = [head + "import torch", "from torch import nn", f"class L({base}):"]
    if init:
        lines.append(f"    def __init__(self): {init}")
    lines.append(f"    def forward(self, e, y): {forward}")
    text = "\n".join(lines) + "\n"
    for key, values in (("error", ERRORS), ("signal", SIGNALS), ("number", ("0", "1", "2", "1000"))):
        text = text.replace(f"{{{key}}}", draw.choice(values))
    return text


def load_plug_ins(folder: Path, *, count: int, seed: int) -> Counter[str]:
    """Load studies that name a generated class: valid, or refused with a problem of the study."""
    answers = Counter[str]()
    for text, path in _studies(folder, count=count, seed=seed):
        try:
            verbs.load_study(path)
            answers[READ] += 1
        except InputError as error:
            assert all(problem.code and problem.says for problem in error.problems), text
            answers[REFUSED] += 1
        except BaseException as error:
            raise AssertionError(text) from error
    return answers


def _studies(folder: Path, *, count: int, seed: int) -> Iterator[tuple[str, Path]]:
    draw = random.Random(seed)
    for number in range(count):
        name = f"generated_{seed}_{number}"
        losses = f'{{contrastive: {{}}, mine: {{loss: "{name}:L", distance: cosine, family: pairs, space: {{}}}}}}'
        study = STUDY.replace("{contrastive: {}, triplet: {}, normalized_softmax: {}}", losses)
        path = write_study(folder, study=study)
        text = _plug_in(draw)
        (folder / f"{name}.py").write_text(text)
        yield text, path
        (folder / f"{name}.py").unlink()
