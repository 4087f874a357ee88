"""Folders of a study's evidence."""

from __future__ import annotations

from pathlib import Path

from realitycheck.protocol.read import ReadStudy


def study_path(study: ReadStudy | Path | str) -> Path:
    """The path of a study's file, which need not exist."""
    return study.path if isinstance(study, ReadStudy) else Path(study)


def evidence_folder(study: ReadStudy | Path | str) -> Path:
    """The folder of a study's evidence: beside its file, and of its name."""
    return evidence_of(study_path(study))


def stores_folder(read: ReadStudy, dataset: str) -> Path:
    """The folder of a dataset's stores; all of it may be deleted, and is then made again."""
    return stores_of(read.path, dataset)


def evidence_of(path: Path) -> Path:
    """The folder of the evidence of the study in this file."""
    return path.absolute().parent / path.stem


def stores_of(path: Path, dataset: str) -> Path:
    """The folder of a dataset's stores, of the study in this file."""
    return evidence_of(path) / "cache" / "stores" / dataset


def other_stores_of(path: Path) -> list[Path]:
    """The folders of the stores of all datasets of the other studies beside this file."""
    own = evidence_of(path)
    return sorted(other for other in own.parent.glob("*/cache/stores/*") if not other.is_relative_to(own))
