"""`propose`: the hyper-parameters of a slot as a pure function of the records before it.

A fresh in-memory study and a fresh sampler are built for every proposal, so that a search may be interrupted anywhere
and continues with the same proposals. One long-lived sampler cannot do that: resumed, it repeats points that it has
already tried (measured).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler
from optuna.trial import TrialState, create_trial

from realitycheck.executors.base import Tell
from realitycheck.plan.seeds import derive
from realitycheck.protocol.units import LengthUnit
from realitycheck.records.schema import Proposal
from realitycheck.runs import Body
from realitycheck.search.samplers.base import Turn
from realitycheck.search.samplers.menu import MENU


def propose(payload: Body, *, tell: Tell) -> Body:
    """The proposal of one slot; the body of its record.

    Args:
        payload: `id`, `search`, `data`, `dataset`, `loss`, `slot`, `root`; `space` (knob → range as plain JSON);
            `sampler`, `startup_trials`, `startup`; `history`: `{"knobs", "value"}` of earlier slots in slot order,
            `value` None for a diverged trial; `pending`: knobs of slots of the same round; `published`: the knobs of
            this slot where they are not to be searched, else empty; `unit`: `{"length", "powers"}` of lengths, or None.
    """
    fixed = {name: value for name, value in payload["space"].items() if not isinstance(value, dict)}
    space = {name: distribution_of(value) for name, value in payload["space"].items() if isinstance(value, dict)}
    drawn = {name: payload["published"][name] for name in space} if payload["published"] else {}
    source = "startup" if payload["slot"] < payload["startup_trials"] else payload["sampler"]
    if space and not drawn:
        drawn = _ask(payload, space, source)
    proposal = Proposal(
        search=payload["search"],
        data=payload["data"],
        dataset=payload["dataset"],
        loss=payload["loss"],
        slot=payload["slot"],
        knobs=fixed | drawn,
        source="published" if payload["published"] else source,
        unit=LengthUnit(**payload["unit"]) if payload.get("unit") else None,
    )
    return proposal.to_json()


def _ask(payload: Body, space: Mapping[str, BaseDistribution], source: str) -> dict[str, Any]:
    root, search, slot = payload["root"], payload["search"], payload["slot"]
    seed, search_seed = derive(root, search, slot, "search") % 2**32, derive(root, search, "search") % 2**32
    turn = Turn(slot=slot, seed=seed, search_seed=search_seed, space=space)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study = optuna.create_study(
            direction="maximize", sampler=_sampler(payload["startup"] if source == "startup" else source, turn)
        )
        for knobs, value in _told(payload["history"]):
            study.add_trial(create_trial(params=_only(knobs, space), distributions=dict(space), value=value))
        for knobs in payload["pending"]:
            study.add_trial(
                create_trial(state=TrialState.RUNNING, params=_only(knobs, space), distributions=dict(space))
            )
        return dict(study.ask(fixed_distributions=dict(space)).params)


def _told(history: list[Body]) -> list[tuple[Mapping[str, Any], float]]:
    """Knobs and values of earlier trials; a diverged one gets the worst completed value so far.

    If it is reported as failed, the samplers ignore it and propose the divergent region again: 30 of 40 trials when
    measured. Before any trial has completed it is 0, the least that MAP@R can be.
    """
    completed = [trial["value"] for trial in history if trial["value"] is not None]
    worst = min(completed, default=0.0)
    return [(trial["knobs"], worst if trial["value"] is None else trial["value"]) for trial in history]


def _only(knobs: Mapping[str, Any], space: Mapping[str, BaseDistribution]) -> dict[str, Any]:
    return {name: knobs[name] for name in space}


def _sampler(name: str, turn: Turn) -> BaseSampler:
    """The sampler of a turn. Its module is imported here, so that a search loads only what its sampler needs."""
    module, _, function = MENU[name].address.partition(":")
    sampler: BaseSampler = getattr(import_module(module), function)(turn)
    return sampler


def distribution_of(value: Mapping[str, Any]) -> BaseDistribution:
    """Optuna's distribution of a range as plain JSON, such as `{"uniform": [0, 1]}`."""
    ((name, bounds),) = value.items()
    if name == "choice":
        return CategoricalDistribution(tuple(bounds))
    low, high = bounds
    match name:
        case "uniform":
            return FloatDistribution(low, high)
        case "log_uniform":
            return FloatDistribution(low, high, log=True)
        case "log_int_uniform":
            return IntDistribution(low, high, log=True)
        case _:
            return IntDistribution(low, high)
