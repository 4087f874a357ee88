"""`export --tensorboard`: the curves of every run, and the value of every trial, for TensorBoard."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from realitycheck.protocol.read import ReadStudy
from realitycheck.records.ledger import Ledger
from realitycheck.verbs.export_rows import ExportedRun, exported_runs, gathered, training_points, validation_points


def export_tensorboard(read: ReadStudy, ledger: Ledger, folder: Path) -> Path:
    """Write one run of TensorBoard per run of the study, in folders named after their places; the folder.

    The first fold run of a trial has its hyper-parameters and its mean validation MAP@R, for the page HParams.
    """
    writer = import_module("torch.utils.tensorboard").SummaryWriter
    for dataset in gathered(read, ledger):
        for known in exported_runs(dataset):
            events = writer(str(folder / place_of(known)))
            _write(events, known)
            events.close()
    return folder


def place_of(known: ExportedRun) -> Path:
    """`pictures/contrastive/search-1/trial-2/fold-1`; a complete run has `complete` in place of the fold."""
    part = "complete" if known.run.spec.fold is None else f"fold-{known.run.spec.fold + 1}"
    return Path(known.dataset, known.label, f"search-{known.search}", f"{known.stage}-{known.number}", part)


def _write(events: Any, known: ExportedRun) -> None:
    for kind, points in (("validation", validation_points(known.run)), ("training", training_points(known.run))):
        for _, iteration, _, metric, value in points:
            events.add_scalar(f"{kind}/{metric}", value, iteration)
    trial = known.trial
    if trial is not None and trial.value is not None and known.run.spec.fold == 0:
        events.add_hparams(dict(trial.raw()), {"trial/map_at_r": trial.value}, run_name=".")
