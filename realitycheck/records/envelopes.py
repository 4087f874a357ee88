"""The body of a record with its digest: the text of one file, and one line of a packed ledger."""

from __future__ import annotations

import hashlib

from pydantic_core import from_json

from realitycheck.canonical import canonical_json, digest
from realitycheck.errors import InputError, LedgerError
from realitycheck.runs import RESULTS_VERSION, Body

_HEAD, _END = b'{"body":', 77
"""How the text of an envelope begins, and the length of its end, `,"sha256":"<64 digits>"}`."""


def envelope(body: Body) -> str:
    """Return a body with its digest, as one line of canonical JSON."""
    return canonical_json({"body": body, "sha256": digest(body)})


def open_envelope(text: bytes, *, source: str) -> tuple[Body, bytes | None]:
    """Return the body in an envelope, and its text where this is the one that `envelope` writes.

    Raises:
        LedgerError: its digest is another one, or the body is no object.
        InputError: it is of another results version.
    """
    try:
        # Half the time of `json`, and the same values: it also refuses NaN, and half a surrogate, which has no digest.
        read = from_json(text, allow_inf_nan=False, cache_strings="keys")
        body: Body = read["body"]
        # Nearly always the text is the canonical one: its own digest then saves the time of writing it again.
        written = _body_text(text, read["sha256"])
        intact = isinstance(body, dict) and (written is not None or digest(body) == read["sha256"])
    except (ValueError, KeyError, TypeError):
        intact = False
    if not intact:
        raise LedgerError(
            f"{source}: the record is damaged (its SHA-256 does not match). Remove it and `run` again: it is made anew."
        )
    _require_version(body, source=source)
    return body, written


def _body_text(text: bytes, sha256: object) -> bytes | None:
    """The text of the body in an envelope as `envelope` writes it, with this digest; else None."""
    text = text.removesuffix(b"\n")
    body = text[len(_HEAD) : -_END]
    framed = text.startswith(_HEAD) and text[-_END:] == f',"sha256":"{sha256}"}}'.encode(errors="replace")
    return body if framed and hashlib.sha256(body).hexdigest() == sha256 else None


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
