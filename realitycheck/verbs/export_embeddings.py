"""`export --best --embed`: embeddings of images that the user names, never of a test half that is closed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from realitycheck.atomic import draft_of, publish, sha256_of
from realitycheck.datasets.reading.decode import SUFFIXES, cause_of, decode
from realitycheck.errors import InputError, Problem, first_few
from realitycheck.protocol.read import ReadStudy
from realitycheck.protocol.recipe import Recipe
from realitycheck.records.gather import gather
from realitycheck.records.ledger import Ledger
from realitycheck.records.recover import from_records
from realitycheck.stores.cache import read_meta
from realitycheck.stores.decode_parts import center, kept_images
from realitycheck.stores.prepare import Stores
from realitycheck.verbs.present import present_data
from realitycheck.verbs.study import Progress, prepare_data

AT_ONCE = 100
"""Images of a forward pass."""

OPTION = "--embed"


def allowed_images(read: ReadStudy, ledger: Ledger, images: Path, *, watch: Progress) -> list[str]:
    """Paths of the image files below a folder, in sorted order; none is, by its bytes, of a test half that is closed.

    Args:
        read: the study.
        ledger: its records.
        images: the folder.
        watch: sees the progress.

    Raises:
        InputError: there is no image, or one is of the test half of a dataset that was never opened.
    """
    names = _names(images)
    closed = _closed(read, ledger, prepare_data(read, watch=watch))
    own = [name for name in names if sha256_of(images / name) in closed] if closed else []
    if own:
        says = f"{first_few(own)}: of a test half that is closed. Name other images, or `run` the study first."
        raise InputError.one("the command line", "embed-closed", says, where=OPTION)
    return names


def export_embeddings(
    read: ReadStudy, models: Sequence[Path], images: Path, names: Sequence[str], *, watch: Progress
) -> Iterator[Path]:
    """Write the embeddings of a folder's images by each model, beside it: `<model>_embeddings.npz`.

    The file has `names`, (N,) paths below the folder, and `embeddings`, (N, D) float32, not normalised.

    Args:
        read: the study.
        models: files that `export_best` wrote, each in a folder with the name of its dataset.
        images: the folder.
        names: of its images, by `allowed_images`.
        watch: sees the progress.

    Raises:
        InputError: an image cannot be read.
    """
    for path in models:
        yield _written(path, read.study.protocol_on(path.parent.name).recipe, images, names, watch=watch)


def _names(images: Path) -> list[str]:
    """Paths of the image files below a folder, in sorted order."""
    files = [path for path in images.rglob("*") if path.name.lower().endswith(SUFFIXES) and path.is_file()]
    if not files:
        says = f"{images} has no image files. Name a folder of images ({', '.join(SUFFIXES[:6])}, …)."
        raise InputError.one("the command line", "embed-empty", says, where=OPTION)
    return sorted(path.relative_to(images).as_posix() for path in files)


def _closed(read: ReadStudy, ledger: Ledger, stores: Mapping[str, Stores]) -> set[str]:
    """SHA-256 of every image file of a test half without an opening."""
    present, files = present_data(read), set[str]()
    for name, pair in stores.items():
        plan = from_records(read.study, name, ledger.records, present=present.get(name))
        if not gather(plan, ledger.records).openings:
            files |= set(read_meta(pair.test).get("files", ()))
    return files


def _written(path: Path, recipe: Recipe, images: Path, names: Sequence[str], *, watch: Progress) -> Path:
    from realitycheck.training.exported import load_model  # loads torch

    model, parts, problems = load_model(path), [], []
    for start in range(0, len(names), AT_ONCE):
        watch(f"embeddings by {path.stem}", start, len(names))
        pixels = []
        for name in names[start : start + AT_ONCE]:
            try:
                pixels.append(_seen(images / name, recipe, channels=model.image[0]))
            except Exception as error:  # on damaged files Pillow raises whatever its parsers run into
                says = f"cannot be decoded: {cause_of(error)}. Replace it, or remove it."
                problems.append(Problem(0, name, says, "image-unreadable"))
        if pixels and not problems:
            parts.append(model.embed_arrays(np.stack(pixels)))
    if problems:
        raise InputError(str(images), problems)
    target = path.with_name(f"{path.stem}_embeddings.npz")
    with draft_of(target) as draft:
        with draft.open("wb") as file:
            np.savez(file, names=np.array(names), embeddings=np.concatenate(parts))
        publish(draft, target)
    return target


def _seen(path: Path, recipe: Recipe, *, channels: int) -> NDArray[np.uint8]:
    """The (C, H, W) bytes of an image as a model sees it in an evaluation."""
    image = decode(path, size=recipe.resize or recipe.image_size)
    if channels == 1:
        image = np.asarray(Image.fromarray(np.moveaxis(image, 0, 2)).convert("L"))[None]
    if recipe.resize is not None:
        return center(image, recipe.image_size)
    return kept_images(image_size=recipe.image_size, resize=None, fit=recipe.fit).of(image)
