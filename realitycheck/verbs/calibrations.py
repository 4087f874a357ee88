"""What a step, a validation and a score of each loss take on this machine, by some seconds of training."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from realitycheck import catalog
from realitycheck.check.head_lengths import head_length, length_powers
from realitycheck.check.weight_files import weights_file
from realitycheck.errors import RunError
from realitycheck.executors.base import Finished, Job, require_storage
from realitycheck.plan.cost import Calibration
from realitycheck.plan.searches import SearchPlan
from realitycheck.protocol.model import LossChoice
from realitycheck.protocol.read import ReadStudy
from realitycheck.protocol.units import LengthUnit
from realitycheck.runs import TrainingPlace
from realitycheck.stores.prepare import Stores
from realitycheck.verbs.executing import build_executor
from realitycheck.verbs.study import Progress

CALIBRATE = "realitycheck.training.calibrate:calibrate"
CALIBRATION_SECONDS = 600.0
"""A machine that needs longer than this for thirty steps cannot carry out a study."""

Measured = Mapping[str, Mapping[str, Calibration]]
"""Dataset → loss → what was measured."""


@dataclass(frozen=True, slots=True)
class Calibrations:
    """What was measured of the losses.

    Args:
        measured: by dataset and loss; of a loss that failed, what the loss with the slowest step took.
        failed: why a loss could not be measured, by dataset and loss; one setting can fail where others train.
    """

    measured: Measured
    failed: Mapping[str, Mapping[str, str]]


def calibrations(read: ReadStudy, stores: Mapping[str, Stores], watch: Progress) -> Calibrations:
    """Measure every loss of a study on each of its datasets, in the middle of its ranges.

    Raises:
        RunError: every loss failed on a dataset.
        StorageError: a job could not write.
    """
    losses = read.study.losses
    finished: dict[str, dict[str, Finished]] = {name: {} for name in stores}
    for done, (name, loss) in enumerate(itertools.product(stores, losses)):
        watch("calibrations", done, len(stores) * len(losses))
        finished[name][loss.label] = _calibrate(read, name, stores[name], loss)
    return Calibrations({name: _measured(seen) for name, seen in finished.items()}, _failed(finished))


def _failed(finished: Mapping[str, Mapping[str, Finished]]) -> dict[str, dict[str, str]]:
    return {
        name: {label: one.failure or "" for label, one in seen.items() if one.body is None}
        for name, seen in finished.items()
    }


def _measured(finished: Mapping[str, Finished]) -> dict[str, Calibration]:
    known = {label: Calibration(**one.body) for label, one in finished.items() if one.body is not None}
    if not known:
        first = next(iter(finished.values()))
        raise RunError(f"the {first.job.title} failed: {first.failure}")
    slowest = max(known.values(), key=lambda one: one.step)
    return {label: known.get(label, slowest) for label in finished}


def _calibrate(read: ReadStudy, name: str, stores: Stores, choice: LossChoice) -> Finished:
    protocol = read.study.protocol_on(name)
    unit = LengthUnit(head_length(protocol) or 1.0, length_powers(protocol, choice, name))  # no matter for the time
    middle = catalog.middle_knobs(protocol.space_of(choice, name))
    knobs = unit.raw(middle) if protocol.search.units == "head" else middle
    spec = SearchPlan(protocol, name, stores.trainval_digest, choice, 0).trial_runs(slot=0, knobs=knobs)[0]
    place = asdict(TrainingPlace(str(stores.trainval), cache="", device="auto", weights=weights_file(read, protocol)))
    scores = protocol.scores.model_dump(mode="json") if protocol.scores else None
    title = f"calibration of {choice.label} on {name}"
    executor = build_executor(read, "local", devices=[None], deadline=CALIBRATION_SECONDS, memory=None)
    try:
        executor.submit(
            Job("calibration", spec.id, name, title, {"spec": spec.to_json(), "place": place, "scores": scores}),
            address=CALIBRATE,
        )
        (finished,) = executor.wait(seconds=2 * CALIBRATION_SECONDS)
    finally:
        executor.close()
    require_storage([finished])
    return finished
