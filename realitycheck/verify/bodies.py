"""The JSON of a ledger, packed or loose, and whether its digests and ids hold."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from realitycheck.verify.checks import Checks, shortened
from realitycheck.verify.digests import KEYS, VERSION, Json, sha256_of

PACKED, NOTES = "ledger.jsonl.gz", "attempts.jsonl.gz"


@dataclass(slots=True)
class Bodies:
    """The records of a ledger.

    Args:
        by_id: the bodies.
        texts: name → text of the files in the packed ledger; None where there is no packed ledger.
        loose: whether there are records outside of the packed ledger.
        earlier: how many records are of an earlier results version.
        notes: the notes of attempts, which are no evidence.
    """

    by_id: dict[str, Json] = field(default_factory=dict)
    texts: dict[str, str] | None = None
    loose: bool = False
    earlier: int = 0
    notes: list[Json] = field(default_factory=list)

    def of_kind(self, kind: str) -> list[Json]:
        """The bodies of one kind."""
        return [body for body in self.by_id.values() if body["kind"] == kind]

    @property
    def digest(self) -> str:
        """SHA-256 over the bodies in the order of their ids, as the page prints it."""
        return sha256_of([self.by_id[key] for key in sorted(self.by_id)])


def read_bodies(folder: Path, checks: Checks) -> Bodies:
    """Read every record of a ledger; what is damaged, double or not of its id is a problem, and left out."""
    bodies = Bodies()
    for number, line in enumerate(_lines(folder / PACKED, checks), 1):
        body = _opened(line, f"{PACKED}, line {number}", checks)
        if body is not None and body.get("kind") == "files":
            bodies.texts = dict(body["files"])
        elif body is not None:
            _keep(bodies, body, f"{PACKED}, line {number}", checks, packed=True)
    for path in _loose(folder / "ledger"):
        where = path.relative_to(folder).as_posix()
        body = _opened(path.read_text(encoding="utf-8", errors="replace"), where, checks)
        if body is not None:
            _keep(bodies, body, where, checks, packed=False)
    bodies.notes = list(_notes(folder))
    return bodies


def halves_of_manifests(folder: Path, checks: Checks) -> dict[str, Json]:
    """Digest → test half of the manifests beside a ledger, which are no part of it; one that is damaged is skipped."""
    halves = {}
    for path in sorted((folder / "manifests").glob("*.json.gz")):
        try:
            half: Json = json.loads(gzip.decompress(path.read_bytes()))["test"]
            halves[half["digest"]] = half
        except (OSError, EOFError, ValueError, KeyError, TypeError, RecursionError, zlib.error):
            checks.skip(f"{path.name}: the manifest cannot be read.")
    return halves


def _loose(ledger: Path) -> Iterator[Path]:
    """The files of records. `Path.glob` takes a folder that cannot be read for an empty one, and all would hold."""
    for kind in sorted(ledger.iterdir()) if ledger.exists() else ():
        if kind.is_dir():
            yield from (path for path in sorted(kind.iterdir()) if path.suffix == ".json" and path.name[0] != ".")


def _lines(path: Path, checks: Checks) -> Iterator[str]:
    """The lines of a packed file, none where it does not exist."""
    if not path.exists():
        return
    line = ""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for line in file:
                yield line
        if not line:
            raise EOFError("it is empty")
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        checks.problem(path.name, "ledger-damaged", f"the file cannot be read: {error}. Restore it from a good copy.")


def _opened(text: str, where: str, checks: Checks) -> Json | None:
    """The body of an envelope, or None where its digest does not match."""
    checks.count("digests")
    try:
        envelope = json.loads(text)
        body: Json = envelope["body"]
        if sha256_of(body) == envelope["sha256"]:
            return body
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    checks.problem(where, "ledger-damaged", "the SHA-256 of this record is not that of its body. Restore it.")
    return None


def _keep(bodies: Bodies, body: Json, where: str, checks: Checks, *, packed: bool) -> None:
    if body.get("results_version", 1) < VERSION:
        bodies.earlier += 1
        return
    key = body.get("id", "")
    if key in bodies.by_id:
        if packed or bodies.by_id[key] != body:
            says = f"a second record of the id {shortened(key)}. Each record is written once; remove one."
            checks.problem(where, "record-duplicate", says)
        return
    if _right_id(body):
        bodies.by_id[key] = body
        bodies.loose |= not packed
        checks.count("ids")
    else:
        says = f"the id {shortened(key)} is not the digest of what this record is about."
        checks.problem(where, "record-id", says)


def _right_id(body: Json) -> bool:
    try:
        return KEYS[body["kind"]](body) == str(body["id"])
    except (KeyError, TypeError):
        return False


def _notes(folder: Path) -> Iterator[Json]:
    """The notes that can be read; they are no evidence."""
    texts = list(_lines(folder / NOTES, Checks()))
    texts += [path.read_text(encoding="utf-8", errors="replace") for path in (folder / "attempts").glob("*.json")]
    for text in texts:
        try:
            note = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(note, dict) and "time" in note:
            yield note
