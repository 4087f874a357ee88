"""Digests, ids and seeds, written from the definition of the ledger (docs/architecture.md, Records)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
"""A JSON object."""

VERSION = 2
"""The results version that is verified."""


def sha256_of(value: object) -> str:
    """SHA-256 of the JSON of a value with sorted keys and without spaces."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def seed_of(root: int, *names: str | int | None) -> int:
    """The seed in [0, 2^63) that belongs to a root and some names: the first 63 bits of their digest."""
    return int(sha256_of([root, *names])[:16], 16) // 2


def proposal_key(search: str, slot: int) -> str:
    """The id of the proposal of one slot."""
    return sha256_of({"proposal": search, "slot": slot})


def selection_key(search: str, trials: int) -> str:
    """The id of the selection of one search."""
    return sha256_of({"selection": search, "select": "posterior_mean", "trials": trials})


def opening_key(plan: str) -> str:
    """The id of the opening of one plan."""
    return sha256_of({"opening": plan})


def _registration(body: Json) -> str:
    about = {"registration": body["study"], "files": body["files"], "code": body["code"], "plans": body["plans"]}
    return sha256_of(about)


KEYS: dict[str, Callable[[Json], str]] = {
    "registration": _registration,
    "proposal": lambda body: proposal_key(body["search"], body["slot"]),
    "selection": lambda body: selection_key(body["search"], len(body["means"])),
    "run": lambda body: sha256_of(body["spec"]),
    "score": lambda body: sha256_of(body["spec"]),
    "neighbors": lambda body: sha256_of({"neighbors": body["spec"]}),
    "opening": lambda body: opening_key(body["plan"]),
}
"""Kind of record → its id, from its body."""
