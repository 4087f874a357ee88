"""A frozen foundation model as a row of reference in a study of another trunk."""

from __future__ import annotations

import hashlib

import pytest
import torch
from safetensors.torch import save_file
from small_study import FINISHED, FINISHED_PROTOCOL, write_study

from realitycheck import verbs
from realitycheck.errors import InputError
from realitycheck.metrics import retrieval_scores
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Score, of_type
from realitycheck.stores.open import open_store


@pytest.fixture(scope="module")
def timm():
    return pytest.importorskip("timm")


@pytest.fixture(scope="module")
def study(tmp_path_factory, timm):
    """A small study with a small transformer of random weights as its foundation, carried out."""
    home = tmp_path_factory.mktemp("foundations")
    torch.manual_seed(3)
    weights = timm.create_model("test_vit", pretrained=False, num_classes=0).state_dict()
    (home / "weights").mkdir()
    save_file(weights, home / "weights" / "vit.safetensors")
    digest = hashlib.sha256((home / "weights" / "vit.safetensors").read_bytes()).hexdigest()
    key = (
        "foundations:\n  vit:\n    image_size: 32\n    trunk:\n      name: timm_class_token\n      model: test_vit\n"
        f"      weights:\n        source: vit.safetensors\n        sha256: '{digest}'\n"
    )
    path = write_study(home, protocol=FINISHED_PROTOCOL, study=FINISHED + key)
    threads = torch.get_num_threads()
    result = verbs.run_study(verbs.load_study(path), executor="inline", device="cpu")
    torch.set_num_threads(threads)
    assert not result.left and not result.alarms
    return path


def scores_of(study):
    records = Ledger(study.parent / "small").records.values()
    return [one for one in of_type(records, Score) if one.spec.evaluation.startswith("foundation:")]


def test_its_score_is_that_of_the_models_class_tokens(study, timm):
    (score,) = scores_of(study)
    read = verbs.load_study(study)
    (stores,) = verbs.prepare_data(read).values()
    pixels = open_store(stores.foundations[score.spec.evaluation])
    assert pixels.images.shape[1:] == (3, 32, 32)
    torch.manual_seed(3)
    model = timm.create_model("test_vit", pretrained=False, num_classes=0, dynamic_img_size=True).eval()
    mean, std = (torch.tensor(model.pretrained_cfg[name])[:, None, None] for name in ("mean", "std"))
    with torch.inference_mode():
        tokens = model.forward_features((torch.from_numpy(pixels.images).float() / 255 - mean) / std)[:, 0]
    wanted = retrieval_scores(tokens, torch.from_numpy(pixels.labels), distance="cosine")
    for name, value in wanted.items():
        assert score.models[0]["cosine"].scores[name] == pytest.approx(value, abs=1e-6)


def test_it_is_a_row_of_the_report_that_verify_derives_again(study):
    verbs.report_study(study)
    text = (study.parents[1] / "reports" / "small" / "tables.md").read_text()
    assert "frozen vit" in text
    assert verbs.verify_study(study, ask=False).problems == []


def test_trained_models_are_not_scored_under_it(study):
    (score,) = scores_of(study)
    records = Ledger(study.parent / "small").records
    assert {records[model].spec.loss is None for model in score.spec.models} == {True}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("model: test_vit", "model: no_such_vit", "model-unknown"),
        ("model: test_vit", "model: test_vit2", "class-token-missing"),
        ("image_size: 32", "image_size: 40", "image-size"),
        ("source: vit.safetensors", "source: other.safetensors", "weights-missing"),
        ("sha256: ", "sha256: '01234567' # ", "digest-mismatch"),
    ],
)
def test_one_that_cannot_be_had_is_refused_at_its_line(study, old, new, code):
    path = study.with_name("other.yaml")
    path.write_text(study.read_text().replace("study: small", "study: other").replace(old, new))
    line = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if "  vit:" in text)
    with pytest.raises(InputError) as caught:
        verbs.check_study(path)
    assert [(problem.line, problem.where, problem.code) for problem in caught.value.problems] == [
        (line, "foundations.vit", code)
    ]


def test_features_follow_the_size_and_the_weights_and_not_their_source(study):
    read = verbs.load_study(study)
    one = read.study.foundations["vit"]
    weights = one.trunk.weights
    trunks = [
        one.trunk.model_copy(update={"weights": weights.model_copy(update=change)})
        for change in ({}, {"source": "elsewhere"}, {"sha256": "0" * 64})
    ]
    every = [one.model_copy(update={"trunk": trunk}) for trunk in trunks]
    same, moved, other, larger = (one.named("vit") for one in (*every, one.model_copy(update={"image_size": 64})))
    assert same == moved
    assert len({same, other, larger}) == 3
