"""What knobs are called: rates, and what a second phase changes."""

from __future__ import annotations

from realitycheck.runs import Knobs

RATES = ("trunk_lr", "embedder_lr", "loss_lr")
"""Knobs that set an optimiser's learning rate in place of the recipe's."""

FOLLOWUP, SCALE = "followup_", "_scale"
"""`followup_x` takes the place of knob x in the second phase; `followup_x_scale` multiplies it."""

RATE_SCALES = tuple(f"{rate}{SCALE}" for rate in RATES)
"""What a second phase multiplies rates by, 1 at most; `followup_` stands before them in a space."""

SHARED = (*RATES, *(FOLLOWUP + scale for scale in RATE_SCALES))
"""Knobs that a protocol may search for every loss."""


def phase_knobs(knobs: Knobs, phase: str) -> dict[str, float | int | str]:
    """The knobs of one phase, `normal` or `followup`, out of those of a whole run.

    In a second phase rates keep their names and values, and `RATE_SCALES` stand beside them.
    """
    found = {name: value for name, value in knobs.items() if not name.startswith(FOLLOWUP)}
    if phase == "followup":
        told = {name.removeprefix(FOLLOWUP): value for name, value in knobs.items() if name.startswith(FOLLOWUP)}
        for name, value in told.items():
            multiplied = name.removesuffix(SCALE)
            if name not in RATE_SCALES and multiplied != name and multiplied in found:
                found[multiplied] = float(found[multiplied]) * float(value)
            else:
                found[name] = value
    return found


def own_knobs(knobs: Knobs) -> dict[str, float | int | str]:
    """The knobs of a phase that the loss itself takes; the others belong to the optimisers."""
    return {name: value for name, value in knobs.items() if name not in (*RATES, *RATE_SCALES)}
