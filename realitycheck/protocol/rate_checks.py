"""Rates: each told once, positive, and never higher in a second phase."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from realitycheck.protocol.document import Document
from realitycheck.protocol.knobs import FOLLOWUP, RATES, SCALE, SHARED
from realitycheck.protocol.names import Found
from realitycheck.protocol.schema import nearest
from realitycheck.protocol.yaml_lines import Keys


def rate_problems(document: Document) -> Found:
    """A rate is told once: by the recipe, or (null there) by a shared knob of the search."""
    shared = document.get(("search", "shared"), dict) or {}
    for knob in shared:
        if knob not in SHARED:
            yield ("search", "shared", knob), f"must be a rate; got '{knob}'. {nearest(knob, SHARED)}"
    yield from rate_ranges(("search", "shared"), shared)
    for part in ("trunk", "embedder"):
        optimizer = document.get(("recipe", "optimizers", part), dict) or {}
        keys: Keys = ("recipe", "optimizers", part, "lr")
        if "lr" in optimizer and optimizer["lr"] is None and f"{part}_lr" not in shared:
            yield (
                keys,
                f"must be a number, or a shared knob; got neither. Give it, or search.shared.{part}_lr.",
            )
        if optimizer.get("lr") is not None and f"{part}_lr" in shared:
            yield keys, f"must be null where search.shared.{part}_lr sets it; got both. Remove one of them."
    yield from _followup_rates(document, shared)


def _followup_rates(document: Document, shared: Mapping[str, Any]) -> Found:
    """A second phase says by what it multiplies the rates of trunk and embedder."""
    two = len(document.get(("phases",), list) or []) > 1
    for part in ("trunk", "embedder"):
        knob = f"{FOLLOWUP}{part}_lr{SCALE}"
        if two and knob not in shared:
            yield ("search", "shared"), f"must have {knob} where there is a second phase; got none. Add it, 1 at most."
        if not two and knob in shared:
            yield ("search", "shared", knob), "must be left out where there is no second phase; got it. Remove it."


def rate_ranges(here: Keys, space: object) -> Found:
    """A rate is a positive number, wherever a space names one; what multiplies it later is 1 at most."""
    for knob, written in space.items() if isinstance(space, dict) else ():
        if knob not in SHARED:
            if knob.removeprefix(FOLLOWUP) in RATES:
                yield (*here, knob), f"must be told by what it multiplies the rate; got a rate. Write {knob}{SCALE}."
            continue
        bounds = written.get("log_uniform", written.get("uniform")) if isinstance(written, dict) else [written]
        numbers = bounds if isinstance(bounds, list) else [bounds]
        if not all(isinstance(each, int | float) and each > 0 for each in numbers):
            yield (
                (*here, knob),
                "must be a positive number, or a range of them; got another. Raise its low end.",
            )
        elif knob.endswith(SCALE) and max(numbers) > 1:
            yield (*here, knob), f"must be 1 at most, no rate rises in a second phase; got {max(numbers):g}. Lower it."
