"""The losses of a study against their classes: knobs against the constructor, and one small batch."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from realitycheck.catalog import middle_knobs, resolve_loss
from realitycheck.check.rules.base import (
    Found,
    Made,
    cause_of,
    missing,
    not_allowed,
    out_of_range,
    raise_own,
    rule,
    unknown,
)
from realitycheck.check.rules.protocol_rules import PHASES
from realitycheck.errors import InputError
from realitycheck.executors.usual_settings import usual_settings
from realitycheck.losses.build import OFFERED, knobs_of, lengths_of
from realitycheck.losses.global_draws import seeded
from realitycheck.protocol.document import Fault
from realitycheck.protocol.knobs import FOLLOWUP, SCALE, SHARED, phase_knobs
from realitycheck.protocol.paper_settings import first_length, first_setting
from realitycheck.protocol.space import Bounds, Choice, IntUniform, LogIntUniform, Range, Space, contains
from realitycheck.protocol.units import LengthUnit, powers_of
from realitycheck.runs import Knobs

if TYPE_CHECKING:
    from torch import nn


@rule("loss.address")
def loss_is_a_module(address: str) -> Found:
    """A loss can be imported, and is an `nn.Module`."""
    from torch import nn

    try:
        classes = resolve_loss(address)
    except InputError as error:
        yield from (Fault(problem.code, problem.says) for problem in error.problems)
        return
    for loss_class in classes:
        if not issubclass(loss_class, nn.Module):
            because = "a loss must be an `nn.Module`"
            yield not_allowed("loss-not-module", f"the class {loss_class.__name__}", because, "Name another class.")


@rule("loss@<dataset>.space", address="loss.address", phases="keys(protocol@<dataset>.phases)")
def falling_knobs_fall(space: Space, *, address: str, phases: tuple[int, ...]) -> Found:
    """A knob that may only decrease in a second phase is multiplied by less than 1."""
    falling = _falling(address)
    for name in _of_second_phase(space, phases):
        knob = name.removeprefix(FOLLOWUP)
        if knob not in falling and knob.removesuffix(SCALE) in falling and not _below_one(space[name]):
            must = "be below 1: this hyper-parameter may only decrease in the second phase"
            yield out_of_range("knob-scale-range", _shown(space[name]), must, name)


@rule("keys(loss@<dataset>.space)", address="loss.address", phases="keys(protocol@<dataset>.phases)")
def knobs_are_those_of_the_loss(names: tuple[str, ...], *, address: str, phases: tuple[int, ...]) -> Found:
    """A space has the knobs that the constructor takes, and all that have no default."""
    takes, falling = knobs_of(*resolve_loss(address)), _falling(address)
    for name in names:
        if name in OFFERED:
            yield not_allowed(
                "knob-offered", f"`{name}`", "its value is set from the training split", "Remove it.", name
            )
        elif name not in SHARED and not name.startswith(FOLLOWUP) and name not in takes:
            yield unknown("knob-unknown", f"hyper-parameter of {address}:", name, list(takes), name)
    for name in _of_second_phase(names, phases):
        yield from _second_phase_name(name, address, takes, falling)
    for name, parameter in takes.items():
        if name not in names and parameter.default is inspect.Parameter.empty:
            because = f"{address} has no default for it"
            yield missing("knob-missing", name, example="{uniform: [low, high]}", because=because)


def _second_phase_name(
    name: str, address: str, takes: Mapping[str, inspect.Parameter], falling: frozenset[str]
) -> Iterator[Fault]:
    knob = name.removeprefix(FOLLOWUP)
    if knob not in takes and knob.removesuffix(SCALE) not in takes:
        yield unknown(
            "knob-unknown", f"hyper-parameter of {address}:", name, [FOLLOWUP + taken for taken in takes], name
        )
    elif knob in falling:
        because = "this hyper-parameter may only decrease in the second phase"
        yield not_allowed("knob-not-scale", f"`{name}`", because, f"Use `{name}{SCALE}`, below 1.", name)


@rule("loss@<dataset>.space", address="loss.address", makes="made.<loss>.<dataset>.space")
def values_are_of_the_annotated_kind(space: Space, *, address: str) -> Found:
    """No rate, and no argument that the constructor annotates as a number, is a word, and no integer has a fraction."""
    kinds = {name: parameter.annotation for name, parameter in knobs_of(*resolve_loss(address)).items()}
    valid = True
    for name, value in space.items():
        kind = float if name in SHARED else kinds.get(name.removeprefix(FOLLOWUP).removesuffix(SCALE))
        if kind in (int, float, "int", "float") and (text := _words(value)):
            yield not_allowed("knob-not-number", repr(text[0]), "it is a word", "Write a number.", name)
            valid = False
        elif kinds.get(name.removeprefix(FOLLOWUP)) in (int, "int") and _has_fractions(value):
            fix = "Write an integer, `int_uniform`, or integers to choose from."
            yield not_allowed("knob-not-integer", _shown(value), "this hyper-parameter is an integer", fix, name)
            valid = False
    if valid:
        yield Made(space)


@rule(
    "loss.address",
    space="made.<loss>.<dataset>.space",
    phases="keys(protocol@<dataset>.phases)",
    makes="made.<loss>.<dataset>.learns",
)
def loss_works(address: str, *, space: Space, phases: tuple[int, ...]) -> Found:
    """A loss is built and tried, small, with every knob in the middle of its range.

    For a second phase it is built again, with the knobs of that phase and the state of the first.
    """
    from realitycheck.check.loss_trial import small_loss, tried_loss  # torch, that other rules do without

    knobs = middle_knobs(_in_phases(space, phases))
    with seeded(0), usual_settings():
        try:
            first, *last = (small_loss(address, phase_knobs(knobs, phase)) for phase in PHASES[: max(1, len(phases))])
        except Exception as error:  # the class of a study's author may raise anything
            raise_own(error, address)
            says = f"cannot build the loss with {knobs}: {cause_of(error)}. Correct its space or its constructor."
            yield Fault("loss-build", says)
            return
        learns = any(parameter.requires_grad for parameter in first.parameters())
        yield from tried_loss(first, again=partial(_rebuilt, address, phase_knobs(knobs, PHASES[0])))
        for other in last:
            yield from _taken_over(first, other)
    yield Made(learns)


@rule(
    "keys(loss@<dataset>.space)",
    shared="keys(protocol.search.shared)",
    recipe="protocol.recipe.optimizers.loss.lr",
    phases="keys(protocol@<dataset>.phases)",
    learns="made.<loss>.<dataset>.learns",
)
def loss_has_its_rates(
    own: tuple[str, ...], *, shared: tuple[str, ...], recipe: float | None, phases: tuple[int, ...], learns: bool
) -> Found:
    """A loss with parameters has a rate in each phase; one without has none."""
    scale, given = f"{FOLLOWUP}loss_lr{SCALE}", {*own, *shared}
    if learns and recipe is None and "loss_lr" not in given:
        because = "this loss has parameters of its own"
        yield missing("loss-rate-missing", "loss_lr", example="{log_uniform: [1e-4, 1]}", because=because)
    if learns and len(phases) > 1 and scale not in given:
        because = "the protocol has a second phase"
        yield missing("loss-rate-missing", scale, example="{log_uniform: [0.01, 1]}", because=because)
    for knob in ("loss_lr", *([scale] if len(phases) > 1 else [])):
        if not learns and knob in own and knob not in shared:
            yield not_allowed("loss-rate-unused", f"`{knob}`", "this loss has no parameters", "Remove it.", knob)


@rule(
    "study.losses.<loss>.setting",
    space="loss@<dataset>.space",
    first="protocol.search.first",
    units="protocol.search.units",
    address="loss.address",
)
def setting_in_units_within_the_space(
    setting: str | None, *, space: Space, first: str | None, units: str, address: str
) -> Found:
    """A published setting is inside of ranges in units of the initial embedding length.

    Its lengths are known in these units where that of its own model is; of others `run` says it.
    """
    knobs = first_setting(address, setting) if first and units == "head" else None
    powers = powers_of(space, lengths_of(*resolve_loss(address)))
    length = first_length(address, setting)
    known = {name: value for name, value in (knobs or {}).items() if name in space and (length or name not in powers)}
    for knob, value in LengthUnit(length or 1.0, powers).relative(known).items():
        if not contains(space[knob], value) and not _nearly(space[knob], value):
            shown = f"{value:.6g}" if isinstance(value, float) else value
            must = f"be in the range of {knob}"
            yield out_of_range("setting-range", f"the published {knob}, {shown},", must, fix="Widen the range.")


def _options(value: Range) -> tuple[object, ...]:
    """The values that are written one by one: those of a choice, or a fixed one; none of a range with bounds."""
    if isinstance(value, Bounds):
        return ()
    return value.choice if isinstance(value, Choice) else (value,)


def _words(value: Range) -> list[str]:
    return [option for option in _options(value) if isinstance(option, str)]


def _has_fractions(value: Range) -> bool:
    """Whether a value may be drawn, or is written, as a floating-point number."""
    drawn = isinstance(value, Bounds) and not isinstance(value, IntUniform | LogIntUniform)
    return drawn or any(isinstance(option, float) for option in _options(value))


def _nearly(bounds: Range, value: float | int | str) -> bool:
    """Whether a fixed value is a published one but for its last digits."""
    if not isinstance(bounds, int | float) or not isinstance(value, int | float):
        return False
    return math.isclose(bounds, value, rel_tol=0.01)


def _rebuilt(address: str, knobs: Knobs) -> nn.Module:
    from realitycheck.check.loss_trial import small_loss

    with seeded(0):
        return small_loss(address, knobs)


def _taken_over(first: nn.Module, last: nn.Module) -> Iterator[Fault]:
    """What hinders a second phase from going on with the state of the first."""
    try:
        last.load_state_dict(first.state_dict())
    except Exception as error:  # the class of a study's author may raise anything
        says = f"the second phase cannot take over the state of the first: {cause_of(error)}. Keep its shapes."
        yield Fault("loss-state", says)


def _shown(value: Range) -> str:
    return str(list(value.bounds)) if isinstance(value, Bounds) else str(value)


def _falling(address: str) -> frozenset[str]:
    """The knobs that a loss may only lower in a second phase."""
    return frozenset(
        knob for loss_class in resolve_loss(address) for knob in getattr(loss_class, "lower_in_followup", ())
    )


def _of_second_phase(names: Mapping[str, Range] | tuple[str, ...], phases: tuple[int, ...]) -> list[str]:
    """The names, other than rates, that only a second phase uses; none where there is no such phase."""
    two = len(phases) > 1
    return [name for name in names if two and name.startswith(FOLLOWUP) and name not in SHARED]


def _in_phases(space: Space, phases: tuple[int, ...]) -> Space:
    two = len(phases) > 1
    return {name: bounds for name, bounds in space.items() if two or not name.startswith(FOLLOWUP)}


def _below_one(bounds: Range) -> bool:
    high = bounds.bounds[1] if isinstance(bounds, Bounds) else bounds
    return isinstance(high, int | float) and high < 1
