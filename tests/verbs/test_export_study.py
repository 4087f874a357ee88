"""What `export` writes is what the records say, and other tools open it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from types import SimpleNamespace

import optuna
import pytest
import torch
import yaml
from safetensors.torch import load_file
from small_study import FINISHED, FINISHED_PROTOCOL, FROZEN, write_study

from realitycheck import verbs
from realitycheck.errors import InputError, StorageError
from realitycheck.plan.searches import SearchPlan
from realitycheck.protocol.read import read_study
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Proposal, Run, of_type
from realitycheck.runs import Stage
from realitycheck.search.optuna_file import ShownSearch, write_optuna
from realitycheck.training.assemble import recipe_of
from realitycheck.training.checkpoint import weights_digest
from realitycheck.training.embedding_model import EmbeddingModel, build_trunk
from realitycheck.training.exported import ExportedModel, export_model, load_model
from realitycheck.verbs.export_best import Chosen, named_or_best


@pytest.fixture(scope="module")
def study(finished, tmp_path_factory):
    home = tmp_path_factory.mktemp("exported") / "home"
    shutil.copytree(finished.parents[1], home)
    return home / "studies" / finished.name


@pytest.fixture(scope="module")
def records(study):
    return list(Ledger(study.parent / "small").records.values())


def values_by_hand(records, label: str) -> dict[int, float]:
    """Slot → mean over folds of the best validation value after iteration 0."""
    found: dict[int, list[float]] = {}
    for run in of_type(records, Run):
        if run.spec.stage is Stage.SEARCH and run.spec.loss and run.spec.loss["label"] == label:
            found.setdefault(run.spec.index, []).append(run.value)
    return {slot: sum(values) / len(values) for slot, values in found.items()}


def test_optuna_opens_every_search_with_its_trials(study, records, tmp_path):
    odd = tmp_path / "100% {of}?#"
    odd.mkdir()
    assert verbs.export_study(study, optuna=odd / "trials %d.db") == [odd / "trials %d.db"]
    assert [path.name for path in odd.iterdir()] == ["trials %d.db"]
    file = (odd / "trials %d.db").rename(tmp_path / "trials.db")
    storage = f"sqlite:///{file}"
    assert sorted(optuna.get_all_study_names(storage)) == ["pictures/contrastive", "pictures/normalized_softmax"]
    for label in ("contrastive", "normalized_softmax"):
        opened = optuna.load_study(study_name=f"pictures/{label}", storage=storage)
        wanted = values_by_hand(records, label)
        assert {trial.user_attrs["slot"]: pytest.approx(trial.value, abs=1e-12) for trial in opened.trials} == wanted
        assert opened.best_trial.user_attrs["slot"] == max(wanted, key=lambda slot: (wanted[slot], -slot))
        proposals = {one.slot: one for one in of_type(records, Proposal) if one.loss == label}
        assert all(trial.params == dict(proposals[trial.number].knobs) for trial in opened.trials)
        assert all(len(trial.user_attrs["runs"]) == 2 for trial in opened.trials)


def test_a_full_disk_is_one_sentence_and_no_file(tmp_path, monkeypatch):
    def connect(path):
        connection = sqlite3.Connection(path)
        connection.execute("PRAGMA max_page_count = 4")
        return connection

    monkeypatch.setattr(sqlite3, "connect", connect)
    with pytest.raises(StorageError, match="full"):
        write_optuna(tmp_path / "trials.db", [ShownSearch("a", {}, [])])
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_exists_is_kept(study, tmp_path):
    (tmp_path / "trials.db").write_text("mine")
    with pytest.raises(InputError) as refused:
        verbs.export_study(study, optuna=tmp_path / "trials.db")
    assert [problem.code for problem in refused.value.problems] == ["export-exists"]
    assert (tmp_path / "trials.db").read_text() == "mine"


def test_the_best_model_has_the_weights_of_its_record(study, records, tmp_path):
    """They were deleted after the scores, so it is trained again."""
    settings, model = verbs.export_study(study, best=tmp_path / "best", loss="contrastive")
    known = yaml.safe_load(settings.read_text())["pictures"]["contrastive"]
    wanted = values_by_hand(records, "contrastive")
    slot = max(wanted, key=lambda one: (wanted[one], -one))
    assert (known["trial"], known["validation_map_at_r"]) == (slot + 1, pytest.approx(wanted[slot], abs=1e-6))
    assert model == tmp_path / "best" / "pictures" / "contrastive_complete.safetensors"
    runs = [run for run in of_type(records, Run) if run.spec.loss and run.spec.loss["label"] == "contrastive"]
    complete = next(run for run in runs if run.spec.fold is None and run.spec.index == 0)
    assert weights_digest(load_file(model)) == complete.weights
    assert model.stat().st_mode & 0o777 == settings.stat().st_mode & 0o777
    images = torch.randint(256, (3, 3, 28, 28), dtype=torch.uint8)
    assert load_model(model)(images).shape == (3, 16)  # eight dimensions of two folds
    assert {path.name for path in (tmp_path / "best").iterdir()} == {"settings.yaml", "pictures"}


def test_the_best_search_is_that_with_the_largest_gain_on_its_own_folds():
    """The first validates on easier classes: 57 for 50, and untrained models there have 52 for 41."""

    def search(value, start):
        curve = [SimpleNamespace(scores={"map_at_r": start})]
        evidence = SimpleNamespace(runs=lambda stage: [SimpleNamespace(curve=curve)] * 3)
        return Chosen(None, evidence, SimpleNamespace(value=value))

    easy, hard = search(0.57, 0.52), search(0.50, 0.41)
    assert (easy.gain, hard.gain) == (pytest.approx(0.05), pytest.approx(0.09))
    assert named_or_best({"a": easy, "b": hard}, None) is hard


@pytest.mark.parametrize("wrong", [(3, 3, 28, 30), (3, 1, 28, 28), (3, 28, 28)])
def test_a_model_refuses_images_of_another_shape(study, wrong):
    model = ExportedModel(recipe=read_study(study).study.protocol.recipe, channels=3, dims=8)
    model(torch.zeros((2, 3, 28, 28), dtype=torch.uint8))
    for images in (torch.zeros(wrong, dtype=torch.uint8), torch.zeros((2, 3, 28, 28))):
        with pytest.raises(InputError) as refused:
            model(images)
        assert [problem.code for problem in refused.value.problems] == ["image-shape"]


@pytest.mark.parametrize(
    ("words", "code"), [({}, "export-missing"), ({"loss": "triplet", "weights": False}, "loss-unknown")]
)
def test_wrong_words_are_refused(study, tmp_path, words, code):
    with pytest.raises(InputError) as refused:
        verbs.export_study(study, best=tmp_path / "best" if words else None, **words)
    assert [problem.code for problem in refused.value.problems] == [code]
    assert not (tmp_path / "best").exists()


def test_there_are_no_settings_before_a_search_is_done(tmp_path):
    path = write_study(tmp_path, protocol=FINISHED_PROTOCOL, study=FINISHED)
    with pytest.raises(InputError) as refused:
        verbs.export_study(path, best=tmp_path / "best")
    assert [problem.code for problem in refused.value.problems] == ["search-unfinished"]


def test_a_frozen_trunk_is_part_of_its_model(tmp_path):
    read = read_study(write_study(tmp_path, protocol=FROZEN, study=FINISHED))
    search = SearchPlan(read.study.protocol, "pictures", "0" * 64, read.study.losses[0], 0)
    spec = search.trial_runs(slot=0, knobs={})[0]
    recipe = recipe_of(spec)
    trunk = build_trunk(recipe=recipe, in_channels=3, weights=None, seed=0).eval()
    trained = EmbeddingModel(recipe=recipe, trunk=None, width=trunk.output_dim, dims=spec.dims)
    export_model(spec, trained.state_dict(), tmp_path / "m.safetensors", channels=3, trunk_weights=None)
    images = torch.randint(256, (5, 3, 28, 28), dtype=torch.uint8)
    with torch.no_grad():
        by_hand = trained.embedder(trunk(images.float() / 255).mean(dim=(2, 3)))
        assert torch.equal(load_model(tmp_path / "m.safetensors")(images), by_hand)


def test_a_packed_study_is_described_for_archives(study):
    """The structure that RO-Crate 1.1 asks for: a descriptor, a root, and references that lead to an entity."""
    folder = verbs.pack_study(study).parent
    crate = json.loads((folder / "ro-crate-metadata.json").read_text())
    assert crate["@context"] == "https://w3id.org/ro/crate/1.1/context"
    entities = {entity["@id"]: entity for entity in crate["@graph"]}
    assert len(entities) == len(crate["@graph"])
    descriptor, root = entities["ro-crate-metadata.json"], entities["./"]
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert (descriptor["@type"], descriptor["about"]) == ("CreativeWork", {"@id": "./"})
    assert root["@type"] == "Dataset"
    assert all(root[key] for key in ("name", "description", "datePublished", "license"))
    parts = [part["@id"] for part in root["hasPart"]]
    assert parts == ["ledger.jsonl.gz", "attempts.jsonl.gz"]
    assert all((folder / part).stat().st_size == int(entities[part]["contentSize"]) for part in parts)
    assert set(references(crate["@graph"])) - set(entities) == {"https://w3id.org/ro/crate/1.1"}
    assert entities["#studies/small.yaml"]["text"] == study.read_text()


def references(value: object):
    """The identifiers that entities refer to."""
    if isinstance(value, dict):
        if set(value) == {"@id"}:
            yield value["@id"]
        for inner in value.values():
            yield from references(inner)
    if isinstance(value, list):
        for inner in value:
            yield from references(inner)
