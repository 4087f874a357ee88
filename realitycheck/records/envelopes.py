"""The body of a record with its digest: the text of one file, and one line of a packed ledger."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic_core import from_json

from realitycheck.canonical import canonical_json, digest
from realitycheck.errors import InputError, LedgerError
from realitycheck.runs import RESULTS_VERSION, Body

_HEAD, _STATED, _END = b'{"body":', b',"sha256":"', 77
"""How the text of an envelope begins, how its end does, and the length of this end, `,"sha256":"<64 digits>"}`."""


def envelope(body: Body) -> str:
    """Return a body with its digest, as one line of canonical JSON."""
    return canonical_json({"body": body, "sha256": digest(body)})


def open_envelope(text: bytes, *, source: str) -> Body:
    """Return the body in an envelope.

    Raises:
        LedgerError: its digest is another one.
        InputError: it is of another results version.
    """
    try:
        read = _parsed(text)
        body: Body = read["body"]
        # Nearly always the text is the canonical one: its own digest then saves the time of writing it again.
        intact = body_text(text, sha256=read["sha256"]) is not None or digest(body) == read["sha256"]
    except (ValueError, KeyError, TypeError):
        intact = False
    if not intact:
        raise LedgerError(
            f"{source}: the record is damaged (its SHA-256 does not match). Remove it and `run` again: it is made anew."
        )
    _require_version(body, source=source)
    return body


def body_text(text: bytes, *, sha256: object = None) -> bytes | None:
    """The text of the body in an envelope as `envelope` writes it; None where its digest is another one.

    Args:
        text: the text of an envelope.
        sha256: the digest that the envelope states; None for the one at its end.
    """
    text = text.removesuffix(b"\n")
    stated = text[-_END + len(_STATED) : -2].decode(errors="replace") if sha256 is None else sha256
    body = text[len(_HEAD) : -_END]
    framed = text.startswith(_HEAD) and text[-_END:] == b'%s%s"}' % (_STATED, str(stated).encode(errors="replace"))
    return body if framed and hashlib.sha256(body).hexdigest() == stated else None


def _parsed(text: bytes) -> Any:
    """Read JSON without NaN; `json` takes twice the time, and reads what the other refuses, such as half a surrogate.

    Raises:
        ValueError: it is none.
    """
    try:
        return from_json(text, allow_inf_nan=False, cache_strings="keys")
    except ValueError:
        return json.loads(text.decode(errors="replace"), parse_constant=_refuse)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _require_version(body: Body, *, source: str) -> None:
    """Refuse a record of another results version; version 1 wrote none into its records."""
    made_by = body.get("results_version", 1)
    if made_by == RESULTS_VERSION:
        return
    says = (
        f"records of results version {made_by} are not allowed here: this release makes and reads version "
        f"{RESULTS_VERSION}. Move them away and `run` the study again, or use the release that made them. "
        "Their report pages are files of their own and stay."
    )
    raise InputError.one(source, "ledger-version", says)
