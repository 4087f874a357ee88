"""The evidence of a study on disk: the only truth, and the only writer of it.

`<study>/ledger/<kind>/<id>.json` holds one record each; `<study>/ledger.jsonl.gz` is the packed form that is
committed, and both are read. Its first line holds the files of the study as text. `<study>/attempts/` holds what is not
evidence: times, hosts, failures, alarms.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import platform
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from realitycheck.atomic import Lasts, link_new, storage_errors
from realitycheck.canonical import canonical_json, digest
from realitycheck.errors import LedgerError
from realitycheck.records.collection import uncollected
from realitycheck.records.envelopes import envelope, open_envelope
from realitycheck.records.from_json import read_record, read_written_record
from realitycheck.records.loose_files import note_files, record_files
from realitycheck.records.packing import pack, unpacked
from realitycheck.records.redaction import redacted
from realitycheck.records.schema import RECORDS, Record, agree
from realitycheck.records.unread import unread
from realitycheck.runs import RESULTS_VERSION, Body

FILES = "files"
"""The kind of the first line of a packed ledger, which is no record."""

FILE_COUNT = 3
"""The study's file, the protocol's and the spaces'."""

UNKNOWN = "an unknown machine"
"""Where no note says which machine made a record, as without the notes of another study."""


class Ledger:
    """The records of one study.

    Args:
        folder: the study's folder; it is made when the first record is written.
        digested: whether the digest of all records will be asked for: the text of each is kept for it.

    Attributes:
        records: by id.
        texts: name → text of the files of the study in the packed ledger: the study's, the protocol's and the spaces',
            in this order. None where there is no packed ledger.
        loose: ids of the records that are not in the packed ledger.

    Raises:
        InputError: a record is of another results version.
        LedgerError: a record is damaged, or two records of one id differ.
    """

    def __init__(self, folder: Path, *, digested: bool = False) -> None:
        self.folder = folder
        self.records: dict[str, Record] = {}
        self.texts: dict[str, str] | None = None
        self._bodies: dict[str, bytes] | None = {} if digested else None
        with uncollected():
            packed_path = self.packed
            for number, line in enumerate(unpacked(packed_path), start=1):
                self._read_packed(f"{packed_path}, line {number}", line, first=number == 1)
            packed = set(self.records)
            for path in record_files(self.folder):
                self._read(str(path), _text_of(path))
        self.loose = set(self.records) - packed

    @property
    def packed(self) -> Path:
        """The packed ledger."""
        return self.folder / "ledger.jsonl.gz"

    @property
    def digest(self) -> str:
        """The digest of all records, whatever their order and whether they are packed."""
        every = hashlib.sha256()  # that of one list of all bodies, which need not be in memory at once
        for number, record_id in enumerate(sorted(self.records)):
            every.update(b"," if number else b"[")
            known = self._bodies and self._bodies.get(record_id)
            every.update(known or canonical_json(self.records[record_id].to_json()).encode())
        every.update(b"]" if self.records else b"[]")
        return every.hexdigest()

    def read_new(self) -> list[Record]:
        """Read the records that other processes have written meanwhile, and return them.

        Raises:
            InputError: a record is of another results version.
            LedgerError: a record is damaged.
        """
        before = set(self.records)
        for path in unread(self.folder / "ledger", known=before):
            with suppress(FileNotFoundError):  # removed by hand meanwhile
                self._read(str(path), _text_of(path))
        new = [self.records[record_id] for record_id in self.records if record_id not in before]
        self.loose |= {record.id for record in new}
        return new

    def path_of(self, kind: str, record_id: str) -> Path:
        """The file of a loose record."""
        return self.folder / "ledger" / kind / f"{record_id}.json"

    def append(self, record: Record, *, machine: str = "") -> bool:
        """Keep a record for ever; whether it was new.

        `machine` is the processor and the versions that made it, for an alarm.

        The first writer wins. A second copy that differs is kept as an alarm under `attempts/`, because it shows
        that something which may change a number is missing from the spec.

        Raises:
            LedgerError: the ledger already holds other numbers under this id.
        """
        path, body = self.path_of(record.kind, record.id), record.to_json()
        known = self.records.get(record.id)
        if known is None and not _link_new(path, envelope(body)):
            known = _record_of(read_body(path), text=None, source=str(path))
        self.records[record.id] = known or record
        if known is not None and not agree(known, record):
            makers = f"The first was made on: {self._maker(record.id)}; the second on: {machine or UNKNOWN}."
            self._alarm(record, body, makers)
            differs = ", ".join(name for name, value in known.to_json().items() if body.get(name) != value)
            raise LedgerError(
                f"{path}: a second {record.kind} of this id has other numbers ({differs}); the first is kept, both are "
                f"in {self.folder / 'attempts'}. Something that changes results differs between the two. {makers}"
            )
        return known is None

    def note(self, kind: str, content: Body) -> None:
        """Write down something that is not evidence: an attempt, a failure, an alarm, who opened the test half when."""
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        text = canonical_json({"kind": kind, "time": time, "host": platform.node(), **content})
        text = text.encode(errors="replace").decode()  # an error's message can hold the name of a file that is no UTF-8
        _link_new(self.folder / "attempts" / f"{kind}-{digest(text)[:16]}.json", text, lasts=Lasts.WHOLE_OR_GONE)

    def notes(self, *, kinds: Collection[str] | None = None) -> list[Body]:
        """The notes of some kinds, or all, by time, with the packed ones; of one that is packed as well, the note."""
        packed = self.folder / "attempts.jsonl.gz"
        loose = [read_note(path) for path in note_files(self.folder, kinds=kinds)]
        known = {_key_of(note) for note in loose}
        notes = [_note_of(packed, _decoded(line)) for line in unpacked(packed)]
        notes = loose + [note for note in notes if _key_of(note) not in known]
        wanted = [note for note in notes if kinds is None or note["kind"] in kinds]
        times = Counter(note["time"] for note in wanted)
        ties = (canonical_json(note) if times[note["time"]] > 1 else "" for note in wanted)
        return [note for _, note in sorted(zip(ties, wanted, strict=True), key=lambda pair: (pair[1]["time"], pair[0]))]

    def pack(self, texts: Mapping[str, str]) -> Path:
        """Write all records into one file, whose bytes depend on the records and the texts alone.

        Notes are packed beside it, without hosts, users, addresses and paths of this machine.

        Args:
            texts: name → text of the study's file, the protocol's and the spaces', in this order.
        """
        kinds = list(RECORDS)
        ordered = sorted(self.records.values(), key=lambda record: (kinds.index(record.kind), record.id))
        head: Body = {
            "kind": FILES,
            "results_version": RESULTS_VERSION,
            "files": [list(file) for file in texts.items()],
        }
        pack(self.packed, [envelope(head), *(envelope(record.to_json()) for record in ordered)])
        notes = redacted(self.notes(), folders=[Path.home(), Path.cwd(), self.folder.absolute()], users=_users())
        if notes:
            pack(self.folder / "attempts.jsonl.gz", [canonical_json(note) for note in notes])
        return self.packed

    def _maker(self, record_id: str) -> str:
        """The machine that made a record, by the notes."""
        done = (note for note in self.notes() if note["kind"] == "done" and note.get("id") == record_id)
        return next((str(note["machine"]) for note in done if note.get("machine")), UNKNOWN)

    def _alarm(self, record: Record, refused: Body, makers: str) -> None:
        """Keep the second copy whole beside the ledger, and note where."""
        path = self.folder / "attempts" / "refused" / f"{record.id}-{digest(refused)[:16]}.json"
        _link_new(path, envelope(refused))
        reason = f"a second copy differs; it is kept as attempts/refused/{path.name}. {makers}"
        self.note("alarm", {"id": record.id, "title": record.kind, "reason": reason})

    def _read_packed(self, source: str, line: bytes, *, first: bool) -> None:
        if first:
            self.texts = _texts_of(open_envelope(line, source=source)[0], source=source)
        else:
            self._read(source, line)

    def _read(self, source: str, text: bytes) -> None:
        body, written = open_envelope(text, source=source)
        record = _record_of(body, text=written, source=source)
        known = self.records.setdefault(record.id, record)
        if known is not record:
            if known != record:
                raise LedgerError(f"{source}: differs from an earlier record of the same id. Remove the wrong one.")
        elif self._bodies is not None and written is not None:
            self._bodies[record.id] = written


def _key_of(note: Body) -> tuple[Any, ...]:
    """What a packed note, in which names of a machine are replaced, has in common with the note itself."""
    return note["time"], note["kind"], note.get("id"), note.get("attempt")


def read_body(path: Path) -> Body:
    """Read the file of a record.

    Raises:
        LedgerError: it is damaged.
        InputError: it is of another results version.
    """
    return open_envelope(_text_of(path), source=str(path))[0]


def read_note(path: Path) -> Body:
    """Read the file of a note.

    Raises:
        LedgerError: it is damaged.
    """
    text = _decoded(_text_of(path))
    return _note_of(path, text if digest(text)[:16] == path.stem[-16:] else "")


def _users() -> list[str]:
    """Names of the user of this machine; none where it has no such name."""
    try:
        return [getpass.getuser()]
    except (OSError, KeyError, ImportError):
        return []


def _texts_of(body: Body, *, source: str) -> dict[str, str]:
    """The files that the first line of a packed ledger holds.

    Raises:
        LedgerError: it is another line.
    """
    files = body.get("files")
    texts = dict(files) if isinstance(files, list) and all(_is_file(entry) for entry in files) else {}
    if body.get("kind") != FILES or len(texts) != FILE_COUNT:
        raise LedgerError(f"{source}: must hold the study, its protocol and its spaces. Restore it from a good copy.")
    return texts


def _is_file(entry: object) -> bool:
    return isinstance(entry, list) and len(entry) == 2 and all(isinstance(part, str) for part in entry)


def _record_of(body: Body, *, text: bytes | None, source: str) -> Record:
    try:
        return read_record(body) if text is None else read_written_record(body, text=text)
    except LedgerError as error:
        raise LedgerError(f"{source}: {error} Remove the file, or restore it from a good copy.") from error


def _link_new(path: Path, text: str, *, lasts: Lasts = Lasts.WHOLE) -> bool:
    """Publish a text file; return whether it was new."""
    with storage_errors(path):
        return link_new(path, text.encode(), lasts=lasts)


def _text_of(path: Path) -> bytes:
    with storage_errors(path):
        return path.read_bytes()


def _decoded(text: bytes) -> str:
    """A text; bytes that are no UTF-8 are replaced, and its digest will show it."""
    return text.decode(errors="replace")


def _note_of(source: Path, text: str) -> Body:
    """Read a note.

    Raises:
        LedgerError: the note is damaged.
    """
    try:
        note: Body = json.loads(text)
        if not isinstance(note["time"], str) or not isinstance(note["kind"], str):
            raise TypeError("no time and kind")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise LedgerError(f"{source}: a note is damaged. Restore or remove it: notes are not evidence.") from error
    return note
