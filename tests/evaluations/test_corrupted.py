"""Studies with corrupted images, of pixels and behind a frozen trunk, from their files to their pages."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from small_study import FINISHED, FINISHED_PROTOCOL, FROZEN, write_study

from realitycheck import verbs
from realitycheck.errors import RunError
from realitycheck.evaluations.score import build_evaluation
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Score, of_type
from realitycheck.stores.corruptions.corrupted_store import CorruptedStore
from realitycheck.stores.feature_parts import features_path
from realitycheck.stores.open import open_store
from realitycheck.training.embedding_model import build_trunk

NAMES = ["corrupted:dropout-0", "corrupted:dropout-3", "corrupted:dropout-5", "corrupted:shear-3"]
NAMED = f"evaluations: {json.dumps(NAMES)}\n"


def run(folder: Path, protocol: str, executor: str) -> Path:
    study = write_study(folder, protocol=protocol + NAMED, study=FINISHED)
    result = verbs.run_study(verbs.load_study(study), executor=executor, device="cpu")
    assert not result.left and not result.alarms
    return study


def scores_of(study: Path) -> dict[tuple[str, tuple[str, ...]], Score]:
    records = Ledger(study.parent / "small").records.values()
    return {(score.spec.evaluation, score.spec.models): score for score in of_type(records, Score)}


@pytest.fixture(scope="module")
def pixels(tmp_path_factory):
    return run(tmp_path_factory.mktemp("pixels"), FINISHED_PROTOCOL, "inline")


def test_severity_0_equals_clean_bit_for_bit(pixels):
    scores = scores_of(pixels)
    clean = {models: score for (evaluation, models), score in scores.items() if evaluation == "clean"}
    for models, score in clean.items():
        assert scores[NAMES[0], models].models == score.models
        assert scores[NAMES[0], models].together == score.together
    assert any(scores[NAMES[2], models].models != score.models for models, score in clean.items())


def test_the_page_says_how_far_scores_fall(pixels):
    verbs.report_study(pixels)
    folder = pixels.parent.parent / "reports" / "small"
    facts = json.loads((folder / "tables.json").read_text())["datasets"][0]["corruption"]
    assert [one["evaluation"] for one in facts["tables"]] == NAMES
    first = facts["tables"][0]["lines"][0]
    assert first["drop"]["mean"] == 0.0 and first["label"] == "contrastive"
    assert (folder / "figures" / "corruption-pictures.svg").exists()
    assert not verbs.verify_study(pixels).problems


def test_a_frozen_trunk_sees_each_corruption_once(tmp_path):
    study = run(tmp_path, FROZEN, "local")
    read = verbs.load_study(study)
    (stores,) = verbs.prepare_data(read).values()
    recipe = read.study.protocol_on("pictures").recipe
    clean = open_store(features_path(stores.test, recipe))
    images = open_store(stores.test)
    trunk = build_trunk(recipe=recipe, in_channels=3, weights=None, seed=0).eval()
    for name in NAMES:
        options = name.partition(":")[2]
        store = open_store(features_path(stores.test, recipe, corruption=options))
        assert store.digest == clean.digest and store.corruption == options
        assert build_evaluation(name).seen(store) is store
        seen = CorruptedStore(images.facts, images, options)
        with torch.inference_mode():
            expected = trunk(seen.plain(np.arange(5), recipe=recipe, device=torch.device("cpu")).float() / 255)
        np.testing.assert_allclose(store.features[:5, 0], expected.mean(dim=(2, 3)), rtol=1e-4, atol=1e-5)
        with pytest.raises(RunError, match=options):
            build_evaluation(name).seen(clean)
    scores = scores_of(study)
    assert all(
        scores[NAMES[0], models].models == score.models for (kind, models), score in scores.items() if kind == "clean"
    )
