"""From a dataset's name to its folder: download, check, unpack."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from realitycheck.datasets.fetching.archive import LIMITS, extract
from realitycheck.datasets.fetching.download import Progress, digest, download
from realitycheck.datasets.menu import MENU
from realitycheck.errors import InputError, Problem


@dataclass(frozen=True, slots=True)
class Source:
    """Where a dataset comes from, and the digest that its archive must have.

    Args:
        address: of the archive; None where it must be fetched by hand.
        archive: name of the file.
        sha256: of the file, in hex.
        size: of the file in bytes.
        root: the dataset's root within the unpacked archive.
        inner: an archive within the archive that holds the images, and its SHA-256; None where there is none.
    """

    address: str | None
    archive: str
    sha256: str
    size: int
    root: str
    inner: tuple[str, str] | None


SOURCES: dict[str, Source] = {
    "cub200": Source(
        address="https://data.caltech.edu/records/65de6-vp158/files/CUB_200_2011.tgz",
        archive="CUB_200_2011.tgz",
        sha256="0c685df5597a8b24909f6a7c9db6d11e008733779a671760afef78feb49bf081",
        size=1_150_585_339,
        root="CUB_200_2011",
        inner=None,
    ),
    "caltech101": Source(
        address="https://data.caltech.edu/records/mzrjq-6wc02/files/caltech-101.zip",
        archive="caltech-101.zip",
        sha256="331234750fc7f77520e50d9565e8b6907b03565e30320da1401130db08c61f91",
        size=137_414_764,
        root="101_ObjectCategories",
        inner=(
            "caltech-101/101_ObjectCategories.tar.gz",
            "af6ece2f339791ca20f855943d8b55dd60892c0a25105fcd631ee3d6430f9926",
        ),
    ),
    "sop": Source(
        address=None,
        archive="Stanford_Online_Products.zip",
        sha256="b04fa78210e69fab050ce73939550e1cd0f96890bdd98ec9fee732c3b756ef48",
        size=3_083_860_082,
        root="Stanford_Online_Products",
        inner=None,
    ),
}
"""Digests: those of TensorFlow Datasets (`url_checksums/`), but for `caltech-101.zip`, in which four unrelated public
repositories agree; the archive within it is pinned by TensorFlow Datasets again. No digest is known of the others."""


def fetch(name: str, folder: Path, *, progress: Progress) -> Path:
    """Make a dataset ready below a folder; what is ready already is left as it is.

    An archive that lies in the folder is checked and unpacked in place of a download.

    Args:
        name: of the dataset on the menu.
        folder: it gets `<name>/`, and the archive while it is needed.
        progress: called with the bytes that are there and the bytes of the archive.

    Returns:
        The dataset's root, for a study.

    Raises:
        InputError: the dataset must be fetched by hand, or its archive does not come, is another one or is unsafe.
    """
    source = SOURCES.get(name)
    if source is None:
        raise _by_hand(name)
    target = folder / name
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        archive = _archive(name, source, folder, progress)
        _unpack(source, archive, target)
        if source.address is not None:  # what was fetched by hand is not ours to remove
            archive.unlink()
    return target / source.root


def _archive(name: str, source: Source, folder: Path, progress: Progress) -> Path:
    path = folder / source.archive
    if source.address is not None:
        download(source.address, path, sha256=source.sha256, size=source.size, progress=progress)
        return path
    if not path.exists():
        raise _by_hand(name)
    _require_digest(path, source.sha256)
    return path


def _unpack(source: Source, archive: Path, target: Path) -> None:
    if source.inner is None:
        extract(archive, target, limits=LIMITS)
        return
    inner, sha256 = source.inner
    outer = target.with_name(f".{target.name}.outer")
    shutil.rmtree(outer, ignore_errors=True)
    extract(archive, outer, limits=LIMITS)
    _require_digest(outer / inner, sha256)
    extract(outer / inner, target, limits=LIMITS)
    shutil.rmtree(outer)


def _require_digest(path: Path, sha256: str) -> None:
    if not path.is_file() or (found := digest(path)) != sha256:
        got = found if path.is_file() else "no such file"
        says = f"must have the SHA-256 {sha256}; got {got}. Download it again."
        raise InputError(str(path), [Problem(0, "", says)])


def _by_hand(name: str) -> InputError:
    entry = MENU.get(name)
    if entry is None or not entry.needs_root:
        known = ", ".join(each for each, face in MENU.items() if face.needs_root and face.images is not None)
        return InputError(name, [Problem(0, "", f"must be a dataset to fetch; got '{name}'. Known here: {known}.")])
    archive = f" {SOURCES[name].archive} beside it is unpacked by the next call." if name in SOURCES else ""
    says = f"must be fetched by hand. Get it from {entry.where}, and lay it out so: {entry.layout}.{archive}"
    return InputError(name, [Problem(0, "", says)])
