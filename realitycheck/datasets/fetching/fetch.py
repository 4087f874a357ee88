"""Download, verify and extract a dataset of the menu."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from realitycheck.atomic import make_folder, sha256_of
from realitycheck.datasets.fetching.archive import LIMITS, extract
from realitycheck.datasets.fetching.download import DownloadProgress, download
from realitycheck.datasets.menu import MENU
from realitycheck.errors import InputError


@dataclass(frozen=True, slots=True)
class Source:
    """Address and digest of a dataset's archive.

    Args:
        address: https address of the archive; None if it must be downloaded by hand.
        archive: file name of the archive.
        sha256: SHA-256 of the archive, in hex.
        size: size of the archive in bytes.
        root: the dataset's root within the extracted archive.
        inner: path and SHA-256 of an archive within the archive that holds the images; None if there is none.
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
"""Digests are those of TensorFlow Datasets (`url_checksums/`), except for `caltech-101.zip`, for which four unrelated
public repositories agree; the archive in it is again in TensorFlow Datasets. For other datasets no digest is known."""


def fetch(name: str, folder: Path, *, progress: DownloadProgress) -> Path:
    """Download and extract a dataset below a folder; an extracted dataset is left unchanged.

    An archive that is in the folder already is verified and extracted instead of a download.

    Args:
        name: name of a dataset of the menu.
        folder: folder that gets `<name>/`, and the archive while it is needed.
        progress: called with the downloaded bytes and the size of the archive.

    Returns:
        The dataset's root, for a study.

    Raises:
        InputError: if the dataset must be downloaded by hand, or if its archive cannot be downloaded, differs from the
            expected one or is unsafe.
    """
    source = SOURCES.get(name)
    if source is None:
        raise _by_hand(name)
    target = folder / name
    if not target.exists():
        make_folder(folder)
        archive = _archive(name, source, folder, progress)
        _unpack(source, archive, target)
        if source.address is not None:  # keep an archive that was downloaded by hand
            archive.unlink()
    return target / source.root


def _archive(name: str, source: Source, folder: Path, progress: DownloadProgress) -> Path:
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
    if not path.is_file():
        raise InputError.one(str(path), "archive-missing", "missing from the archive; download the archive again.")
    if (actual := sha256_of(path)) != sha256:
        says = f"SHA-256 mismatch: expected {sha256}, got {actual}. Download it again."
        raise InputError.one(str(path), "digest-mismatch", says)


def _by_hand(name: str) -> InputError:
    entry = MENU.get(name)
    if entry is None or not entry.needs_root:
        fetchable = [key for key, other in MENU.items() if other.needs_root and other.images is not None]
        if entry is None:
            says = f"unknown dataset '{name}'. Datasets to fetch: {', '.join(fetchable)}."
            return InputError.one(name, "dataset-unknown", says)
        says = f"'{name}' cannot be fetched: it needs no download. Datasets to fetch: {', '.join(fetchable)}."
        return InputError.one(name, "dataset-not-fetchable", says)
    says = f"cannot be downloaded automatically. Get it from {entry.where}. Layout of the folder: {entry.layout}."
    if name in SOURCES:
        says += f" Or put {SOURCES[name].archive} into the folder and run `fetch` again."
    return InputError.one(name, "dataset-by-hand", says)
