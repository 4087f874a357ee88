"""What a study costs: trainings counted, hours and disk predicted from a short measured calibration."""

from __future__ import annotations

from dataclasses import dataclass

from realitycheck.plan.lengths import EPOCH_MULTIPLE
from realitycheck.plan.searches import constant_evaluations, trained_evaluations, untrained_evaluations
from realitycheck.protocol.model import Protocol

START_SECONDS = 0.5
"""A fresh child and its imports: 0.35 s measured for the fork, the rest for opening stores and building the model."""


@dataclass(frozen=True, slots=True)
class Trainings:
    """How many trainings one loss needs on one dataset, by stage; of the runners-up as many as there can be."""

    search: int
    folds: int
    complete: int
    runners_up: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.search + self.folds + self.complete + self.runners_up


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the calibration saw on this machine, in seconds.

    Args:
        step: one training iteration of a fold run.
        complete_step: one training iteration of a complete run, with K·D dims.
        evaluation: one validation of a fold run.
        fold_score: K fold models on the test half, each and together.
        complete_score: one complete model on the test half.
        weights_bytes: the weights of a complete model.
        memory_bytes: the most memory that the process held: of the GPU where it computes on one; 0 if unknown.
        device_bytes: the memory of that GPU; 0 on a CPU.
    """

    step: float
    complete_step: float
    evaluation: float
    fold_score: float
    complete_score: float
    weights_bytes: int
    memory_bytes: int = 0
    device_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Cost:
    """The prediction for a whole study, as if every run went to its cap; patience may end runs before."""

    worker_hours: float
    disk_bytes: int

    def __add__(self, other: Cost) -> Cost:
        """Both together."""
        return Cost(self.worker_hours + other.worker_hours, self.disk_bytes + other.disk_bytes)


def trainings(protocol: Protocol) -> Trainings:
    """The trainings of one loss: trials × K a search, and a seed K fold runs and, where asked for, a complete run.

    A runner-up has a complete run as well.
    """
    folds, seeds = protocol.folds.count, protocol.final.seeds
    complete = seeds if protocol.completes else 0
    trials = protocol.search.trials * protocol.search.searches
    near = protocol.interval.runners_up * protocol.search.searches if protocol.completes else 0
    return Trainings(search=trials * folds, folds=seeds * folds, complete=complete, runners_up=near)


@dataclass(frozen=True, slots=True)
class RunSeconds:
    """How long one run takes that goes to its cap: a fold run, and a complete run."""

    fold: float
    complete: float


def run_seconds(protocol: Protocol, measured: Calibration) -> RunSeconds:
    """Predict how long one run takes at most."""
    steps = sum(phase.cap for phase in protocol.phases)
    evaluations = 1 + sum(-(-phase.cap // phase.evaluate_every) for phase in protocol.phases)
    return RunSeconds(
        fold=START_SECONDS + steps * measured.step + evaluations * measured.evaluation,
        complete=START_SECONDS + longest_complete(protocol) * measured.complete_step,
    )


def loss_cost(protocol: Protocol, measured: Calibration) -> Cost:
    """What one loss needs on one dataset; disk is the weights that wait for their scores."""
    counts, seeds, longest = trainings(protocol), protocol.final.seeds, run_seconds(protocol, measured)
    seconds = (
        protocol.search.trials * protocol.search.searches * START_SECONDS
        + (counts.search + counts.folds) * longest.fold
        + (counts.complete + counts.runners_up) * longest.complete
        + len(trained_evaluations(protocol))
        * (
            seeds * _scored(protocol, measured)
            + counts.runners_up * (START_SECONDS + measured.complete_score)
            + kept_trials(protocol) * (START_SECONDS + measured.fold_score)
        )
    )
    weights = counts.folds + counts.complete + counts.runners_up + kept_trials(protocol) * protocol.folds.count
    return Cost(seconds / 3600, weights * measured.weights_bytes)


def default_trainings(protocol: Protocol) -> int:
    """The trainings of a published setting that is scored beside the chosen one; those of an equal one are shared."""
    return protocol.final.seeds * (protocol.folds.count + protocol.completes)


def default_cost(protocol: Protocol, measured: Calibration) -> Cost:
    """What the row of a loss's published setting needs on one dataset, at most."""
    seeds, longest = protocol.final.seeds, run_seconds(protocol, measured)
    trained = protocol.folds.count * longest.fold + protocol.completes * longest.complete
    seconds = seeds * (trained + len(trained_evaluations(protocol)) * _scored(protocol, measured))
    return Cost(seconds / 3600, default_trainings(protocol) * measured.weights_bytes)


def impatient(protocol: Protocol) -> Protocol:
    """A protocol whose runs all end as early as the patience of each phase allows, which is a bound from below."""
    shortest = [
        phase.model_copy(update={"cap": min(phase.cap, phase.patience * phase.evaluate_every)})
        for phase in protocol.phases
    ]
    return protocol.model_copy(update={"phases": tuple(shortest)})


def kept_trials(protocol: Protocol) -> int:
    """Trials of one loss whose fold models wait for their scores, at most."""
    near = protocol.interval.runners_up
    return (1 + near) * protocol.search.searches if near and protocol.scores_folds else 0


def untrained_cost(protocol: Protocol, measured: Calibration) -> Cost:
    """What the untrained rows need on one dataset; one in which nothing is random is scored once."""
    models = protocol.final.seeds * (protocol.folds.count + protocol.completes)
    constant = len(constant_evaluations(protocol))
    per_seed = len(untrained_evaluations(protocol)) * protocol.final.seeds * _scored(protocol, measured)
    once = constant * (START_SECONDS + measured.fold_score / protocol.folds.count)
    seconds = models * START_SECONDS + per_seed + once
    return Cost(seconds / 3600, models * measured.weights_bytes)


def longest_complete(protocol: Protocol) -> int:
    """Iterations of a complete run whose fold runs all went to the cap: lengths are rounded up.

    An epoch that is a `pass` is not known here, and is left unrounded.
    """
    if protocol.final.complete == "per_replicate":
        return sum(-(-phase.cap // phase.evaluate_every) * phase.evaluate_every for phase in protocol.phases)
    steps = sum(phase.cap for phase in protocol.phases)
    multiple = EPOCH_MULTIPLE * protocol.epoch if isinstance(protocol.epoch, int) else 1
    return -(-steps // multiple) * multiple


def _scored(protocol: Protocol, measured: Calibration) -> float:
    complete = START_SECONDS + measured.complete_score if protocol.completes else 0.0
    return START_SECONDS + measured.fold_score + complete
