"""A study with ranges in units of the initial embedding length: from check to its report, and who says the length."""

from __future__ import annotations

import math
from dataclasses import asdict

import numpy as np
import pytest
import torch
from small_study import PROTOCOL, SPACES, STUDY, WARPED, write_study

from realitycheck import verbs
from realitycheck.errors import InputError, RunError
from realitycheck.executors.base import unheard
from realitycheck.executors.inline import InlineExecutor
from realitycheck.plan.specs import DatasetPlan
from realitycheck.protocol.units import LengthUnit
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Proposal, Run, of_type
from realitycheck.runs import TrainingPlace
from realitycheck.stores.open import open_store
from realitycheck.training import initial_length
from realitycheck.training.embedding_model import build_model
from realitycheck.verbs import calibrations, length_units

HEAD = (
    PROTOCOL.replace("shared: {}", "shared: {}, units: head")
    .replace("cap: 30, evaluate_every: 10, patience: 2", "cap: 4, evaluate_every: 2, patience: 1")
    .replace("trials: 3, startup_trials: 2", "trials: 2, startup_trials: 1")
)
PLAIN = HEAD.replace("layer_norm: none", "layer_norm: plain")
TWO = STUDY.replace("triplet: {}, normalized_softmax: {}", "warped_softmax: {}")


def study_of(home, protocol=HEAD, study=TWO):
    path = write_study(home, protocol=protocol, study=study)
    (home / "protocols" / "spaces" / "v1.yaml").write_text(SPACES + WARPED)
    return verbs.load_study(path)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A study whose head does not say its length, run to its end."""
    read = study_of(tmp_path_factory.mktemp("units"))
    result = verbs.run_study(read, executor="inline", device="cpu")
    assert not result.left and not result.alarms
    return read


def records(read):
    return Ledger(read.path.parent / "small").records.values()


def by_hand(read) -> float:
    """The root mean square norm, image by image."""
    (stores,) = verbs.prepare_data(read).values()
    store, recipe = open_store(stores.trainval), read.study.protocol.recipe
    model = build_model(recipe=recipe, in_channels=3, dims=8, seed=0, weights=None).eval()
    squares = []
    with torch.inference_mode():
        for image in range(len(store.labels)):
            shown = store.plain(np.array([image]), recipe=recipe, device=torch.device("cpu"))
            squares.append(sum(float(number) ** 2 for number in model(shown)[0]))
    return math.sqrt(sum(squares) / len(squares))


def test_the_length_is_measured_where_no_layer_norm_says_it(done):
    proposals = [each for each in of_type(records(done), Proposal) if each.loss == "warped_softmax"]
    assert len(proposals) == 2
    for proposal in proposals:
        assert proposal.unit.length == pytest.approx(by_hand(done), rel=1e-5)
        assert proposal.unit.powers == {"point": 1, "temperature": -1}


def test_a_loss_that_normalises_has_raw_values(done):
    proposals = [each for each in of_type(records(done), Proposal) if each.loss == "contrastive"]
    assert len(proposals) == 2 and {each.unit for each in proposals} == {None}


def test_complete_runs_have_lengths_that_are_longer_by_the_root_of_the_folds(done):
    """Two folds, two replicates of one setting."""
    runs = [run for run in of_type(records(done), Run) if run.spec.loss and run.spec.stage == "final"]
    warped = [run.spec for run in runs if run.spec.loss["label"] == "warped_softmax"]
    folds = {spec.knobs["point"] for spec in warped if spec.fold is not None}
    complete = {spec.knobs["point"] for spec in warped if spec.fold is None}
    assert len(folds) == len(complete) == 1
    assert complete.pop() == pytest.approx(math.sqrt(2) * folds.pop(), rel=1e-12)


def test_it_goes_on_in_the_unit_of_its_records(done, monkeypatch):
    """On a machine that would measure another length."""
    (stores,) = verbs.prepare_data(done).values()
    plan = DatasetPlan(study=done.study, dataset="pictures", data=stores.trainval_digest, test=None)
    known = Ledger(done.path.parent / "small").records
    recorded = next(each.unit for each in of_type(known.values(), Proposal) if each.unit)
    assert length_units.with_units(plan, known, lambda _: 99.0).units == {"warped_softmax": recorded}
    assert length_units.with_units(plan, {}, lambda _: 99.0).units["warped_softmax"].length == 99.0
    assert length_units.with_units(plan, {}, None).units == {}
    monkeypatch.setattr(length_units, "MEASURE", "nowhere:nothing")
    before = len(known)
    assert not verbs.run_study(done, executor="inline", device="cpu").left
    assert len(records(done)) == before


def test_the_report_reads_it_without_a_unit_of_its_own(done):
    standings = verbs.study_standings(done)
    assert {each.label for each in standings} == {"contrastive", "warped_softmax"}
    page = next(path for path in verbs.report_study(done) if path.name == "index.html").read_text()
    assert "warped_softmax" in page


def test_a_layer_norm_says_the_length_and_nothing_is_measured(tmp_path):
    """32 features, 8 dims, torch's default: √(8 · 33 / 96)."""
    read = study_of(tmp_path, PLAIN)
    plan = DatasetPlan(study=read.study, dataset="pictures", data="d" * 64, test=None)
    units = length_units.with_units(plan, {}, None).units
    assert units == {"warped_softmax": LengthUnit(math.sqrt(8 * 33 / 96), {"point": 1, "temperature": -1})}


def test_raw_ranges_have_no_unit(tmp_path):
    read = study_of(tmp_path, HEAD.replace(", units: head", ""))
    plan = DatasetPlan(study=read.study, dataset="pictures", data="d" * 64, test=None)
    assert length_units.with_units(plan, {}, lambda _: 99.0) is plan


def test_plan_calibrates_with_values_for_the_loss(tmp_path, monkeypatch):
    """The middle of [0, 1.5] in units of √(8 · 33 / 96)."""
    read, asked = study_of(tmp_path, PLAIN), []

    class Asked(InlineExecutor):
        def submit(self, job, *, address):
            asked.append(job.payload["spec"]["knobs"])
            raise RunError("enough")

    monkeypatch.setattr(calibrations, "build_executor", lambda *_, **__: Asked(device=None))
    with pytest.raises(RunError, match="enough"):
        calibrations._calibrate(read, "pictures", verbs.prepare_data(read)["pictures"], read.study.losses[1])
    assert asked[0]["point"] == pytest.approx(0.75 * math.sqrt(8 * 33 / 96))


def test_embeddings_without_length_are_no_unit(done, monkeypatch):
    (stores,) = verbs.prepare_data(done).values()
    monkeypatch.setattr(initial_length, "embed", lambda *_, **__: torch.zeros(4, 8))
    place = asdict(TrainingPlace(str(stores.trainval), "", "cpu", None))
    payload = {"recipe": done.study.protocol.recipe.model_dump(mode="json"), "dims": 8, "place": place}
    with pytest.raises(RunError, match="length 0"):
        initial_length.measure(payload, tell=unheard)


def test_a_length_that_cannot_be_measured_ends_the_run_with_its_cause(tmp_path, monkeypatch):
    read = study_of(tmp_path)
    monkeypatch.setattr(length_units, "MEASURE", "realitycheck.training.initial_length:nothing")
    with pytest.raises(RunError, match=r"initial embedding length on pictures: .*nothing"):
        verbs.run_study(read, executor="inline", device="cpu")


def test_a_published_setting_is_held_to_ranges_in_its_own_unit(tmp_path):
    """28.4 of a head of 64 is 0.44, whatever the head here; a range up to 0.4 does not hold it."""
    protocol = PLAIN.replace("units: head", "units: head, first: published")
    study_of(tmp_path / "inside", protocol)
    narrow = write_study(tmp_path / "narrow", protocol=protocol, study=TWO)
    spaces = SPACES + WARPED.replace("[0.0, 1.5]", "[0.0, 0.4]")
    (tmp_path / "narrow" / "protocols" / "spaces" / "v1.yaml").write_text(spaces)
    with pytest.raises(InputError) as caught:
        verbs.load_study(narrow)
    (problem,) = caught.value.problems
    assert (problem.code, problem.where) == ("setting-range", "losses.warped_softmax.setting")
    assert "0.44375" in problem.says
