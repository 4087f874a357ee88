"""`run(RunSpec, TrainingPlace) -> Run`: one training. It never sees the test half."""

from __future__ import annotations

from pathlib import Path

import torch

from realitycheck.errors import Diverged
from realitycheck.executors.base import Tell, VerbAnswer
from realitycheck.records.curves import Images
from realitycheck.records.schema import Run
from realitycheck.runs import Body, Outcome, RunSpec, TrainingPlace
from realitycheck.training.assemble import assemble
from realitycheck.training.captured_steps import CapturedSteps
from realitycheck.training.checkpoint import save_weights, weights_digest
from realitycheck.training.course import Training
from realitycheck.training.cuda_graph import CudaGraphs
from realitycheck.training.run_checkpoints import checkpoints_of


def run(payload: Body, *, tell: Tell) -> VerbAnswer:
    """Train one model by `payload["spec"]` at `payload["place"]`, from the checkpoint of an earlier attempt if any.

    Args:
        payload: `spec`, `place`, and `keep`: whether its weights are stored.
        tell: hears of every iteration.

    Returns:
        The body of its record, and the exception of the loss, if any.

    Raises:
        RunError: if the machine or the place fails, or a checkpoint is damaged; this is not a result.
    """
    spec, place = RunSpec.from_json(payload["spec"]), TrainingPlace(**payload["place"])
    trainer, train, val = assemble(spec, place)
    checkpoints = checkpoints_of(spec, place, trainer.device)
    training = Training(spec=spec, trainer=trainer, train=train, val=val, checkpoints=checkpoints, tell=tell)
    if (tree := checkpoints.find()) is not None:
        with checkpoints.using():
            training.resume(tree)
    outcome, cause, raised = Outcome.COMPLETED, None, None
    replays = trainer.replays = replays_of(spec, place, trainer.device)
    try:
        training.go()
    except Diverged as error:
        outcome, cause, raised = Outcome.DIVERGED, str(error), error.__cause__
    finally:
        trainer.feed.close()
    if payload["keep"] and outcome is Outcome.COMPLETED:
        save_weights(Path(place.cache), spec, training.trainer.model)
    record = Run(
        spec=spec,
        outcome=outcome,
        cause=cause,
        best=training.best if outcome is Outcome.COMPLETED else None,
        curve=tuple(training.curve),
        phases=tuple(training.phases),
        images=Images(train=len(training.train), val=len(training.val)),
        weights=weights_digest(training.trainer.model.state_dict()) if outcome is Outcome.COMPLETED else None,
        training=tuple(training.intervals),
    )
    # A GPU keeps memory and libraries of its own in a process, and a plug-in any state: these get a process each.
    ours = not spec.sources and trainer.device.type == "cpu" and outcome is Outcome.COMPLETED
    return VerbAnswer(record.to_json(), raised, replays.outcome if replays else None, reusable=ours)


def replays_of(spec: RunSpec, place: TrainingPlace, device: torch.device) -> CapturedSteps | None:
    """Return what replays the steps of a run on a GPU, or None where nobody asked for it."""
    if not place.graphs or device.type != "cuda":
        return None
    return CapturedSteps(CudaGraphs(device), tuple(spec.sources))
