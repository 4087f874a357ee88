"""Files of a finished study with one bit changed: each is found by name, or nothing that is read differs."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

from realitycheck import verbs
from realitycheck.errors import Problem, RealityCheckError
from realitycheck.records.damaged import set_damaged_aside
from realitycheck.records.ledger import Ledger
from realitycheck.stores.integrity import damage
from realitycheck.stores.manifest import read_manifest

FILES = {
    "record": "studies/small/ledger/*/*.json",
    "note": "studies/small/attempts/*.json",
    "pack": "studies/small/ledger.jsonl.gz",
    "packed notes": "studies/small/attempts.jsonl.gz",
    "store": "studies/small/cache/stores/**/*.npy",
    "facts of a store": "studies/small/cache/stores/**/*.json",
    "manifest": "studies/small/manifests/*.json.gz",
    "image": "pictures/*/*.png",
}
"""Kind → where its files are, in the home of the study."""

FOUND, SAME, SILENT = "found", "the same is read", "silent"


def flip_each(study: Path, *, kind: str, count: int, seed: int) -> Counter[str]:
    """Flip one bit of a file of this kind, so many times, each time of a whole file; how often each answer came."""
    draw, answers = random.Random(seed), Counter[str]()
    files = sorted(study.parents[1].glob(FILES[kind]))
    assert files, kind
    for _ in range(count):
        path = draw.choice(files)
        good = path.read_bytes()
        place, bit = draw.randrange(len(good)), 1 << draw.randrange(8)
        before = _read(kind, path, study)
        path.write_bytes(good[:place] + bytes([good[place] ^ bit]) + good[place + 1 :])
        try:
            answer = FOUND if _finds(kind, path, study) else SAME if _read(kind, path, study) == before else SILENT
        finally:
            path.write_bytes(good)
            for aside in path.parent.glob("*.damaged-*"):
                aside.unlink()
        answers[answer] += 1
    return answers


def _finds(kind: str, path: Path, study: Path) -> bool:
    """Whether the file is named as damaged."""
    if kind in ("record", "note"):
        return [problem.where for problem in set_damaged_aside(study.parent / study.stem)] == [str(path)]
    if kind in ("store", "facts of a store"):
        harm = damage(path.with_suffix(""), watch=lambda done, size: None)
        return harm is not None and harm.path == path.with_suffix("")
    try:
        said = _said(kind, path, study)
    except (RealityCheckError, ValueError) as error:
        return path.name in str(error)
    return any(path.name in problem.says for problem in said)


def _said(kind: str, path: Path, study: Path) -> list[Problem]:
    said: list[Problem] = []
    if kind == "image":
        verbs.check_study(study, say=said.append)
    else:
        _read(kind, path, study)
    return said


def _read(kind: str, path: Path, study: Path) -> object:
    """What is read of a file, for comparison."""
    if kind == "manifest":
        return read_manifest(path)
    if kind in ("pack", "packed notes", "record", "note"):
        ledger = Ledger(study.parent / study.stem)
        return ledger.records, ledger.notes()
    return None if kind == "image" else path.read_bytes()
