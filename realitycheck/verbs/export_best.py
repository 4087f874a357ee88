"""`export --best`: the chosen settings as YAML, and the best model as a file that is complete in itself."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from realitycheck.atomic import made_there, make_folder, storage_errors
from realitycheck.check.weight_files import weights_file
from realitycheck.errors import InputError, RunError
from realitycheck.executors.base import Job, require_storage
from realitycheck.plan.searches import SearchPlan
from realitycheck.plan.specs import DatasetPlan
from realitycheck.protocol.read import ReadStudy
from realitycheck.protocol.validation import nearest
from realitycheck.records.evidence import SearchEvidence, Trial
from realitycheck.records.gather import final_knobs, gather
from realitycheck.records.ledger import Ledger
from realitycheck.records.recover import from_records
from realitycheck.records.schema import Run
from realitycheck.runs import Stage, TrainingPlace
from realitycheck.stores.cache import weights_path
from realitycheck.stores.prepare import Stores
from realitycheck.verbs.executing import VERBS, build_executor
from realitycheck.verbs.present import present_data
from realitycheck.verbs.ready import StoreCheck, ready_stores
from realitycheck.verbs.study import Progress, Say, prepare_data, require_arithmetic

SILENCE = 3600.0
"""Seconds without a report of progress after which the training of a model that is made again counts as hanging."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The best search of one loss: that with the largest gain over untrained models on its own folds.

    Searches may validate on different folds, whose values cannot be compared: in a study of photos the same losses had
    validation MAP@R of 57 on one partition and of 48 on another.
    """

    search: SearchPlan
    evidence: SearchEvidence
    trial: Trial

    @property
    def value(self) -> float:
        """Mean validation MAP@R of its chosen trial, in [0, 1]."""
        return self.trial.value or 0.0

    @property
    def untrained(self) -> float:
        """Mean validation MAP@R of all its trials at iteration 0, in [0, 1]."""
        starts = [run.curve[0].scores["map_at_r"] for run in self.evidence.runs(Stage.SEARCH) if run.curve]
        return math.fsum(starts) / len(starts) if starts else 0.0

    @property
    def gain(self) -> float:
        """How far its chosen trial is above untrained models on the same folds."""
        return self.value - self.untrained

    def models(self) -> list[Run]:
        """The complete run of its first replicate; before there is one, the fold runs of the chosen trial."""
        complete = [one.complete_run for one in self.evidence.replicates]
        done = [run for run in complete if run is not None and run.weights]
        return done[:1] or [run for run in self.trial.runs if run is not None]


def chosen_settings(read: ReadStudy, ledger: Ledger) -> dict[str, dict[str, Chosen]]:
    """Dataset → label → the best search of each loss of which a search is done."""
    present, settings = present_data(read), {}
    for choice in read.study.datasets:
        plan = from_records(read.study, choice.name, ledger.records, present=present.get(choice.name))
        settings[choice.name] = dict(_best_searches(plan, ledger))
    return settings


def _best_searches(plan: DatasetPlan, ledger: Ledger) -> Iterator[tuple[str, Chosen]]:
    evidence = gather(plan, ledger.records)
    for loss, its in zip(plan.losses, evidence.losses, strict=True):
        pairs = zip(loss.searches, its.searches, strict=True)
        done = [Chosen(search, known, known.chosen) for search, known in pairs if known.chosen is not None]
        if done:
            yield loss.label, max(done, key=lambda one: one.gain)


def settings_text(read: ReadStudy, settings: Mapping[str, Mapping[str, Chosen]]) -> str:
    """The chosen settings as YAML, with the words that explain them."""
    head = (
        f"# Chosen settings of the study {read.study.study}: for each loss those of its search with the largest\n"
        "# gain in validation MAP@R over untrained models on the same folds; values on other folds cannot be\n"
        "# compared. `knobs` are what the loss gets in a fold run, `complete_knobs` in a complete run.\n"
    )
    facts = {dataset: {label: _facts(one) for label, one in losses.items()} for dataset, losses in settings.items()}
    return head + yaml.safe_dump(facts, sort_keys=False, width=100, allow_unicode=True)


def _facts(one: Chosen) -> dict[str, Any]:
    knobs, complete = final_knobs(one.search, one.trial)
    protocol, choice = one.search.protocol, one.search.choice
    assert choice is not None
    return {
        "loss": choice.address,
        "distance": choice.distance,
        "search": one.search.number + 1,
        "trial": one.trial.slot + 1,
        "validation_map_at_r": round(one.value, 6),
        "untrained_map_at_r": round(one.untrained, 6),
        "knobs": dict(knobs),
        "complete_knobs": dict(complete),
        "image_size": protocol.recipe.image_size,
        "embedding_dim": protocol.embedding_dim,
    }


def export_best(
    read: ReadStudy,
    ledger: Ledger,
    folder: Path,
    *,
    loss: str | None,
    weights: bool,
    watch: Progress,
    say: Say,
) -> list[Path]:
    """Write the chosen settings of a study, and for each dataset the model of its best loss or of a named one.

    A model whose weights are gone is trained again, and must have the weights of its record.

    Args:
        read: the study.
        ledger: its records.
        folder: where `settings.yaml` and a folder per dataset are written.
        loss: the label of a loss; None for the one with the largest gain.
        weights: whether models are written.
        watch: sees the progress of images and trainings.
        say: called with what is wrong with stores, which are made again.

    Raises:
        InputError: no search is done, or the loss is unknown.
        RunError: a model could not be made, or came out different.
    """
    settings = chosen_settings(read, ledger)
    if not any(settings.values()):
        says = "missing settings: no search is done. `run` the study, or `run --until search`."
        raise InputError.one(read.source, "search-unfinished", says)
    named = {dataset: named_or_best(losses, loss) for dataset, losses in settings.items() if losses}
    path = folder / "settings.yaml"
    make_folder(folder)
    with storage_errors(path), made_there(path):
        path.write_text(settings_text(read, settings), encoding="utf-8")
    return [path, *(_models(read, ledger, named, folder, watch=watch, say=say) if weights else ())]


def named_or_best(losses: Mapping[str, Chosen], label: str | None) -> Chosen:
    """The loss of that label, or the one with the largest gain.

    Raises:
        InputError: there is none of that label.
    """
    if label is None:
        return max(losses.values(), key=lambda one: one.gain)
    if label not in losses:
        says = f"unknown loss '{label}', or no search of it is done. {nearest(label, list(losses))}"
        raise InputError.one("the command line", "loss-unknown", says, where="--loss")
    return losses[label]


def _models(
    read: ReadStudy, ledger: Ledger, named: Mapping[str, Chosen], folder: Path, *, watch: Progress, say: Say
) -> Iterator[Path]:
    from realitycheck.training.checkpoint import load_weights  # these load torch
    from realitycheck.training.exported import export_model

    require_arithmetic(read, devices=("auto",), here=False)
    pixels = prepare_data(read, watch=watch)
    for dataset, one in named.items():
        trunk = weights_file(read, read.study.protocol_on(dataset))
        runs = one.models()
        with tempfile.TemporaryDirectory(dir=folder) as made:
            caches = _trained(read, dataset, runs, ledger.folder / "cache", Path(made), watch=watch, say=say)
            for run, cache in zip(runs, caches, strict=True):
                name = "complete" if run.spec.fold is None else f"fold_{run.spec.fold + 1}"
                target = folder / dataset / f"{one.search.label}_{name}.safetensors"
                target.parent.mkdir(exist_ok=True)
                target.unlink(missing_ok=True)
                spec, tensors = load_weights(cache, run.id, digest=run.weights or "")
                export_model(spec, tensors, target, channels=_channels(pixels[dataset]), trunk_weights=trunk)
                yield target


def _channels(stores: Stores) -> int:
    from realitycheck.stores.open import open_store

    return open_store(stores.trainval).channels


def _trained(
    read: ReadStudy, dataset: str, runs: Sequence[Run], cache: Path, made: Path, *, watch: Progress, say: Say
) -> list[Path]:
    """The cache with the weights of each run: that of the study, or another one in which it is trained again."""
    lost = [run for run in runs if not weights_path(cache, run.id).exists()]
    if lost:
        executor = build_executor(read, "local", devices=[None] * 2, deadline=SILENCE, memory=None)
        try:
            stores = ready_stores(StoreCheck(read, watch, say), executor, device="auto", remember=False)
            place = TrainingPlace(
                str(stores[dataset].trainval), str(made), "auto", weights_file(read, read.study.protocol_on(dataset))
            )
            for done, run in enumerate(lost):
                watch("models that are trained again", done, len(lost))
                title = f"{dataset}: model of run {run.id[:12]}"
                payload = {"spec": run.spec.to_json(), "keep": True, "place": asdict(place)}
                executor.submit(Job("run", run.id, dataset, title, payload), address=VERBS["run"])
                _require_same(run, executor.wait(seconds=10 * SILENCE))
        finally:
            executor.close()
    return [made if run in lost else cache for run in runs]


def _require_same(run: Run, ended: Sequence[Any]) -> None:
    require_storage(ended)
    (finished,) = ended
    if finished.body is None:
        raise RunError(f"{finished.job.title} could not be trained again: {finished.failure}")
    if finished.body["weights"] != run.weights:
        raise RunError(f"{finished.job.title} came out different from its record. `doctor` compares this machine.")
