"""Names of knobs: rates, and what a second phase changes."""

from __future__ import annotations

from realitycheck.runs import Knobs

RATES = ("trunk_lr", "embedder_lr", "loss_lr")
"""Knobs that set an optimiser's learning rate in place of the recipe's."""

FOLLOWUP, SCALE = "followup_", "_scale"
"""`followup_x` takes the place of knob x in the second phase; `followup_x_scale` multiplies it."""

RATE_SCALES = tuple(f"{rate}{SCALE}" for rate in RATES)
"""What a second phase multiplies rates by, at most 1; in a space their names begin with `followup_`."""

SHARED = (*RATES, *(FOLLOWUP + scale for scale in RATE_SCALES))
"""Knobs that a protocol may search for every loss."""


def phase_knobs(knobs: Knobs, phase: str) -> dict[str, float | int | str]:
    """The knobs of one phase, `normal` or `followup`, out of those of a whole run.

    In a second phase rates keep their names and values, and `RATE_SCALES` are added to them.
    """
    values = {name: value for name, value in knobs.items() if not name.startswith(FOLLOWUP)}
    if phase == "followup":
        changes = {name.removeprefix(FOLLOWUP): value for name, value in knobs.items() if name.startswith(FOLLOWUP)}
        for name, value in changes.items():
            multiplied = name.removesuffix(SCALE)
            if name not in RATE_SCALES and multiplied != name and multiplied in values:
                values[multiplied] = float(values[multiplied]) * float(value)
            else:
                values[name] = value
    return values


def own_knobs(knobs: Knobs) -> dict[str, float | int | str]:
    """The knobs of a phase that the loss itself takes; the others belong to the optimisers."""
    return {name: value for name, value in knobs.items() if name not in (*RATES, *RATE_SCALES)}
