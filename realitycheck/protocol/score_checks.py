"""What is asked for beside the three scores of every record: values that must fit each other."""

from __future__ import annotations

from itertools import pairwise

from realitycheck.protocol.document import Document
from realitycheck.protocol.names import Found
from realitycheck.protocol.yaml_lines import Keys


def score_problems(document: Document) -> Found:
    """What is wrong with `scores`, here and on single datasets."""
    yield from _scores(document, ("scores",))
    for name in document.get(("on",), dict) or {}:
        yield from _scores(document, ("on", name, "scores"))


def _scores(document: Document, keys: Keys) -> Found:
    asked = document.get(keys, dict)
    if asked is None:
        return
    if not asked.get("recall_at") and asked.get("nmi", False) is False:
        yield keys, "must ask for something; got nothing. Add `recall_at: [1, 10]` or `nmi: true`, or remove it."
    ks = document.get((*keys, "recall_at"), list) or []
    for place, (before, k) in enumerate(pairwise(ks), start=1):
        if _is_whole(before) and _is_whole(k) and k <= before:
            says = f"must be larger than the one before it, {before}; got {k}. Sort them, and name each once."
            yield (*keys, "recall_at", place), says


def _is_whole(value: object) -> bool:
    """A value of another kind is refused by the schema, and has no order."""
    return isinstance(value, int) and not isinstance(value, bool)
