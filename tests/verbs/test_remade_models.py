"""A model is the one of its record when it is scored: damaged weights are made again, and other ones raise an alarm."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from trained_here import carry_out

from realitycheck.executors.base import Job
from realitycheck.executors.inline import InlineExecutor
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Run, Score, of_type
from realitycheck.training import course, single_run


class Meddling(InlineExecutor):
    """Calls `meddle` with the weights of the models before the first score, and remembers the kinds of its jobs."""

    def __init__(self, meddle=lambda paths: None) -> None:
        super().__init__(device=None)
        self.meddle, self.asked = meddle, []

    def submit(self, job: Job, *, address: str) -> None:
        if job.kind == "score" and "score" not in self.asked:
            cache = Path(job.payload["place"]["cache"])
            self.meddle([cache / "weights" / f"{model}.safetensors" for model in job.payload["spec"]["models"]])
        self.asked.append(job.kind)
        super().submit(job, address=address)


@pytest.fixture
def unscored(finished, tmp_path):
    """The finished study without one score of a trained complete model; its file, the score and its run."""
    home = tmp_path / "home"
    shutil.copytree(finished.parent.parent, home)
    study = home / "studies" / finished.name
    folder = study.with_suffix("")
    (folder / "ledger.jsonl.gz").unlink()
    records = Ledger(folder).records
    scores = [score for score in of_type(records.values(), Score) if len(score.spec.models) == 1]
    score = next(score for score in scores if records[score.spec.models[0]].spec.loss)
    (folder / "ledger" / "score" / f"{score.id}.json").unlink()
    return study, score, records[score.spec.models[0]]


def notes(study: Path, kind: str) -> list[dict]:
    return [note for note in Ledger(study.with_suffix("")).notes() if note["kind"] == kind]


def test_a_model_that_is_made_again_is_the_same_and_gets_the_same_score(unscored):
    study, score, _ = unscored
    executor = Meddling()
    result = carry_out(study, executor)
    assert executor.asked == ["run", "score"]
    assert not result.left and not result.alarms
    assert Ledger(study.with_suffix("")).records[score.id] == score


def flip(paths: list[Path]) -> None:
    """The last byte is one of a tensor, so that the file reads as before."""
    content = bytearray(paths[0].read_bytes())
    content[-1] ^= 1
    paths[0].write_bytes(content)


def exchange(paths: list[Path]) -> None:
    """Another model under the same name and spec, as a run leaves it that is killed before its record is compared."""
    tensors = load_file(paths[0])
    with safe_open(paths[0], framework="pt") as file:
        metadata = file.metadata()
    name = next(name for name, value in tensors.items() if value.is_floating_point())
    save_file({**tensors, name: tensors[name] + 1}, paths[0], metadata=metadata)


@pytest.mark.parametrize("meddle", [flip, exchange])
def test_damaged_weights_are_named_set_aside_and_made_again(unscored, meddle):
    study, score, run = unscored
    executor = Meddling(meddle)
    result = carry_out(study, executor)
    assert executor.asked == ["run", "score", "run", "score"]
    assert not result.left and not result.alarms
    assert Ledger(study.with_suffix("")).records[score.id] == score
    (failed,) = notes(study, "failed")
    assert failed["id"] == score.id and f"{run.id}.safetensors" in failed["reason"]
    assert len(list((study.with_suffix("") / "cache" / "weights").glob(f"{run.id}.safetensors.damaged-*"))) == 1


def other_weights(monkeypatch):
    """The last bit of one weight differs."""
    honest = single_run.save_weights

    def save(cache, spec, model):
        weights = model.embedder.weight.data
        weights[0, 0] = torch.nextafter(weights[0, 0], torch.tensor(9.0))
        honest(cache, spec, model)

    monkeypatch.setattr(single_run, "save_weights", save)


def other_curve(monkeypatch):
    """The same weights, and a mean loss that differs."""

    def point(*fields):
        made = TrainingPoint(*fields)
        return replace(made, loss=made.loss + 1e-9)

    TrainingPoint = course.TrainingPoint
    monkeypatch.setattr(course, "TrainingPoint", point)


def other_draws(monkeypatch):
    """Other augmentation."""
    honest = single_run.assemble

    def assemble(spec, place):
        trainer, train, val = honest(spec, place)
        trainer.feed.augment_seed += 1
        return trainer, train, val

    monkeypatch.setattr(single_run, "assemble", assemble)


@pytest.mark.parametrize(
    ("spoil", "differs"),
    [(other_weights, {"weights"}), (other_curve, {"training"}), (other_draws, {"weights", "training"})],
)
def test_a_model_that_is_made_again_and_differs_is_an_alarm_and_is_not_scored(unscored, monkeypatch, spoil, differs):
    study, score, run = unscored
    with monkeypatch.context() as patched:
        spoil(patched)
        executor = Meddling()
        result = carry_out(study, executor)
    assert executor.asked == ["run"]
    (alarm,) = result.alarms
    assert run.id in alarm
    assert set(alarm.split("(")[1].split(")")[0].split(", ")) == differs
    assert len(result.left) == 1
    records = Ledger(study.with_suffix("")).records
    assert score.id not in records and records[run.id] == run
    assert [note["id"] for note in notes(study, "alarm")] == [run.id]
    assert not list((study.with_suffix("") / "cache" / "weights").glob("*.safetensors"))


def test_an_alarm_does_not_hold_the_next_attempt(unscored, monkeypatch):
    """The next `run` makes the model once more; when it is that of its record, it is scored."""
    study, score, _ = unscored
    with monkeypatch.context() as patched:
        other_draws(patched)
        assert carry_out(study, Meddling()).alarms
    assert not carry_out(study, Meddling()).alarms
    assert Ledger(study.with_suffix("")).records[score.id] == score


def test_every_final_run_has_a_digest(finished):
    runs = of_type(Ledger(finished.with_suffix("")).records.values(), Run)
    assert runs and all(run.weights for run in runs if not run.diverged)
