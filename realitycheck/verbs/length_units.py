"""The unit of hyper-parameters that are lengths: the initial embedding length of the protocol's head."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace

from realitycheck.canonical import digest
from realitycheck.check.head_lengths import head_length, length_powers
from realitycheck.check.weight_files import weights_file
from realitycheck.errors import InputError, RunError
from realitycheck.executors.base import Executor, Job, require_storage
from realitycheck.plan.specs import DatasetPlan
from realitycheck.protocol.read import ReadStudy
from realitycheck.protocol.space import Bounds, contains
from realitycheck.protocol.units import LengthUnit
from realitycheck.records.schema import Proposal, Record
from realitycheck.runs import TrainingPlace
from realitycheck.stores.prepare import Stores
from realitycheck.verbs.study import Progress

MEASURE = "realitycheck.training.initial_length:measure"

Measure = Callable[[DatasetPlan], float]
"""The initial embedding length of a plan's untrained model, from its images."""


def with_units(plan: DatasetPlan, records: Mapping[str, Record], measure: Measure | None) -> DatasetPlan:
    """The plan with the units that new proposals get, where its ranges are in units of the initial embedding length.

    The length is the one that an earlier proposal of the plan has, or else the one that LayerNorm and initialisation
    give, or else it is measured. So a study has one unit, whatever machine continues it.

    Args:
        plan: the study on one dataset.
        records: every record by id, those that may be copied among them.
        measure: how to measure; None where nothing is to be proposed.

    Raises:
        InputError: a published setting that was tuned at an unknown length is outside of a range at this one.
    """
    if plan.protocol.search.units == "raw":
        return plan
    powers = {choice.label: length_powers(plan.protocol, choice, plan.dataset) for choice in plan.study.losses}
    lengths = {label: of_loss for label, of_loss in powers.items() if of_loss}
    if not lengths:
        return plan
    length = _recorded(plan, records) or head_length(plan.protocol) or (measure(plan) if measure else None)
    if length is None:
        return plan
    planned = replace(plan, units={label: LengthUnit(length, of_loss) for label, of_loss in lengths.items()})
    _require_first(planned)
    return planned


def _require_first(plan: DatasetPlan) -> None:
    """A sampler refuses a first trial outside of its ranges."""
    for search in plan.searches:
        for knob in search.unit.powers if search.unit else ():
            assert search.choice is not None and search.unit is not None
            bounds = plan.protocol.space_of(search.choice, plan.dataset)[knob]
            value = search.first.get(knob)
            if isinstance(bounds, Bounds) and isinstance(value, int | float) and not contains(bounds, value):
                says = f"the published {knob}, {value:.6g} in units of {search.unit.length:.6g}, is out of range: "
                says += f"must be in {list(bounds.bounds)}. Widen the range."
                raise InputError.one("the study", "setting-range", says, where=f"losses.{search.label}")


def measured_length(
    read: ReadStudy, stores: Mapping[str, Stores], executor: Executor, *, device: str, watch: Progress
) -> Measure:
    """How `run` measures an initial embedding length: in a child, on the trainval half."""

    def measure(plan: DatasetPlan) -> float:
        title = f"initial embedding length on {plan.dataset}"
        recipe = plan.protocol.recipe.model_dump(mode="json")
        trainval, weights = str(stores[plan.dataset].trainval), weights_file(read, plan.protocol)
        place = asdict(TrainingPlace(trainval, cache="", device=device, weights=weights))
        payload = {"recipe": recipe, "dims": plan.protocol.embedding_dim, "place": place}
        job = Job("length", digest({"length": recipe, "data": plan.data}), plan.dataset, title, payload)
        executor.submit(job, address=MEASURE)
        while not (finished := executor.wait(seconds=1.0)):
            watch(title, 0, 1)
        require_storage(finished)
        body = finished[0].body
        if body is None:
            raise RunError(f"{title}: {finished[0].failure}")
        return float(body["length"])

    return measure


def _recorded(plan: DatasetPlan, records: Mapping[str, Record]) -> float | None:
    ids = (search.proposal_id(slot) for search in plan.searches for slot in range(plan.protocol.search.trials))
    known = (records[proposal] for proposal in ids if proposal in records)
    return next((record.unit.length for record in known if isinstance(record, Proposal) and record.unit), None)
