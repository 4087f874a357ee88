"""Rates: each is set once, is positive, and never rises in a second phase."""

from __future__ import annotations

from collections.abc import Iterator

from realitycheck.check.rules.base import Found, missing, not_allowed, out_of_range, rule, unknown
from realitycheck.protocol.document import Fault
from realitycheck.protocol.knobs import FOLLOWUP, RATES, SCALE, SHARED
from realitycheck.protocol.space import LogUniform, Range, Uniform

PARTS = ("trunk", "embedder")
"""Parts of a model whose rates a protocol sets; a loss may set its own."""


@rule("keys(protocol.search.shared)")
@rule("keys(protocol.on.<other>.shared)")
def shared_knobs_are_rates(names: tuple[str, ...]) -> Found:
    """A protocol searches rates for every loss, and nothing else."""
    for name in names:
        if name not in SHARED:
            yield unknown("rate-unknown", "rate", name, SHARED, name)


@rule("protocol.search.shared.<knob>", knob="<knob>")
@rule("protocol.on.<other>.shared.<knob>", knob="<knob>")
@rule("spaces.<space>.<knob>", knob="<knob>")
@rule("study.losses.<loss>.space.<knob>", knob="<knob>")
def rate_in_range(value: Range, *, knob: str) -> Found:
    """A rate is a positive number, wherever a space names one; what multiplies it later is at most 1."""
    if knob not in SHARED:
        if knob.removeprefix(FOLLOWUP) in RATES:
            because = "the second phase multiplies the rate of the first"
            yield not_allowed("rate-not-scale", f"`{knob}`", because, f"Use `{knob}{SCALE}`.")
        return
    bounds = _bounds(value)
    if bounds is None:
        fix = "Write a number, `{uniform: [low, high]}` or `{log_uniform: [low, high]}`."
        yield not_allowed("rate-kind", "this value", f"`{knob}` is a real number, or a range of them", fix)
    else:
        yield from _positive(*bounds, most=1.0 if knob.endswith(SCALE) else None)


def _bounds(value: Range) -> tuple[float, float] | None:
    if isinstance(value, Uniform | LogUniform):
        return value.bounds
    return (value, value) if isinstance(value, int | float) else None


def _positive(low: float, high: float, *, most: float | None) -> Iterator[Fault]:
    if low <= 0:
        yield out_of_range("rate-range", f"{low:g}", "be positive")
    elif most is not None and high > most:
        must = f"be at most {most:g}, no rate rises in a second phase"
        yield out_of_range("rate-range", f"{high:g}", must)


@rule("keys(protocol.on.<other>.shared)", shared="keys(protocol.search.shared)")
def same_shared_knobs(others: tuple[str, ...], *, shared: tuple[str, ...]) -> Found:
    """A dataset with shared knobs of its own has those of the protocol, with other ranges."""
    for knob in sorted({*others} - {*shared}):
        yield not_allowed("override-shared", f"`{knob}`", "`search.shared` does not have it", "Remove it.", knob)
    for knob in sorted({*shared} - {*others} if others else ()):
        yield missing("override-shared", knob, because="`search.shared` has it")


@rule("protocol.recipe.optimizers.<part>.lr", part="<part>", shared="keys(protocol.search.shared)")
def rate_is_set_once(rate: float | None, *, part: str, shared: tuple[str, ...]) -> Found:
    """The recipe sets a rate, or, where that is null, a shared knob of the search does."""
    knob = f"{part}_lr"
    if part in PARTS and rate is None and knob not in shared:
        yield Fault("rate-missing", f"missing learning rate; write a number, or add `search.shared.{knob}: …`.")
    if part in PARTS and rate is not None and knob in shared:
        because = f"`search.shared.{knob}` sets this rate"
        yield not_allowed(
            "rate-duplicate", f"{rate:g}", because, f"Set it to null, or remove `{knob}` from `search.shared`."
        )


@rule("keys(protocol.search.shared)", phases="keys(protocol.phases)")
def second_phase_scales_rates(shared: tuple[str, ...], *, phases: tuple[int, ...]) -> Found:
    """Where there is a second phase, and only there, the rates of trunk and embedder are multiplied."""
    two = len(phases) > 1
    for knob in (f"{FOLLOWUP}{part}_lr{SCALE}" for part in PARTS):
        if two and knob not in shared:
            yield missing("rate-scale-missing", knob, example="1.0", because="there is a second phase")
        if not two and knob in shared:
            yield not_allowed("rate-scale-unused", f"`{knob}`", "there is no second phase", "Remove it.", knob)
