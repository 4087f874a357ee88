"""A study with evaluations of pairs, from its file to its page; and ids that do not depend on them."""

from __future__ import annotations

import json

import pytest
import torch
from small_study import FINISHED, FINISHED_PROTOCOL, PROTOCOL, write_study

from realitycheck import verbs
from realitycheck.errors import InputError
from realitycheck.evaluations.menu import ACCURACY, OWN, ROC, SPREAD
from realitycheck.evaluations.score import build_evaluation
from realitycheck.metrics.pair_counts import possible_pairs
from realitycheck.plan.specs import DatasetPlan
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Score, of_type

PAIRS, THRESHOLDS = "verification:20-0", "calibration:5-1"
SHORT = FINISHED_PROTOCOL.replace("sampler: gp, trials: 2", "sampler: random, trials: 1")
ONE = FINISHED.replace(", normalized_softmax: {}", "")
NAMED = f'evaluations: ["{PAIRS}", "{THRESHOLDS}"]\n'


def test_ids_do_not_depend_on_what_is_left_out(tmp_path):
    plain, empty, named = (
        DatasetPlan(verbs.load_study(write_study(tmp_path / name, protocol=text)).study, "pictures", "d", "t")
        for name, text in (("a", PROTOCOL), ("b", PROTOCOL + "evaluations: []\n"), ("c", PROTOCOL + NAMED))
    )
    assert "evaluations" not in plain.protocol.model_dump(mode="json")
    assert plain.digest == empty.digest != named.digest
    assert [one.id for one in plain.searches] == [one.id for one in named.searches]
    assert plain.score(["a"], evaluation="clean") == named.score(["a"], evaluation="clean")
    assert named.searches[0].evaluations == ("clean", PAIRS, THRESHOLDS)
    assert named.untrained.searches[0].evaluations == ("clean", "trunk", PAIRS, THRESHOLDS)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ('["verification"]', "evaluation-unknown"),
        ('["verification:0-0"]', "evaluation-unknown"),
        ('["clean"]', "evaluation-unknown"),
        ('["calibration:5-1", "calibration:5-1"]', "evaluation-duplicate"),
    ],
)
def test_a_wrong_name_is_refused(tmp_path, value, code):
    with pytest.raises(InputError) as caught:
        verbs.load_study(write_study(tmp_path, protocol=PROTOCOL + f"evaluations: {value}\n"))
    assert [problem.code for problem in caught.value.problems] == [code]


def test_more_pairs_than_there_are(tmp_path):
    """Nine classes of four images have 54 pairs of one class."""
    assert min(possible_pairs([4] * 9)) == 54
    for pairs, codes in ((54, []), (55, ["pairs-range"])):
        text = PROTOCOL + f'evaluations: ["verification:{pairs}-0"]\n'
        study = write_study(tmp_path / str(pairs), protocol=text, study=FINISHED)
        try:
            verbs.check_study(study)
        except InputError as error:
            assert [problem.code for problem in error.problems] == codes
        else:
            assert not codes


def test_a_perfect_embedding_and_a_blind_one():
    labels = torch.arange(40) // 4
    apart, blind = torch.eye(10)[labels], torch.ones(40, 3)
    for distance in ("cosine", "euclidean"):
        values = build_evaluation(PAIRS).measured(apart, labels, distance=distance)
        assert (values[ACCURACY], values["tar_at_far_0.001"], values["equal_error_rate"]) == (1.0, 1.0, 0.0)
        values = build_evaluation(PAIRS).measured(blind, labels, distance=distance)
        assert (values[ACCURACY], values["tar_at_far_0.001"], values["equal_error_rate"]) == (0.5, 0.0, 0.5)
        values = build_evaluation(THRESHOLDS).measured(apart, labels, distance=distance)
        assert (values[SPREAD], values[OWN]) == (0.0, 1.0)


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    study = write_study(tmp_path_factory.mktemp("named"), protocol=SHORT + NAMED, study=ONE)
    result = verbs.run_study(verbs.load_study(study), executor="inline", device="cpu")
    assert not result.left
    return study


def test_every_model_has_its_records(walked):
    scores = of_type(Ledger(walked.parent / "small").records.values(), Score)
    named = [score for score in scores if score.spec.evaluation == PAIRS]
    assert len(named) == sum(score.spec.evaluation == "clean" for score in scores) > 0
    values = named[0].models[0]["cosine"].scores
    rates = [values[name] for name in ROC.values()]
    assert rates == sorted(rates) and rates[-1] == 1.0


def test_the_page_and_its_verification(walked):
    verbs.report_study(walked)
    folder = walked.parent.parent / "reports" / "small"
    facts = json.loads((folder / "tables.json").read_text())["datasets"][0]
    rows = facts["verification"]["evaluations"][0]["rows"]
    assert [row["label"] for row in rows] == ["contrastive", "untrained embedder"]
    assert all(len(row["accuracy"]["values"]) == 2 for row in rows)
    assert len(facts["one_threshold"]["evaluations"][0]["rows"]) == 2
    assert {"roc-pictures.svg", "thresholds-pictures.svg"} <= {path.name for path in (folder / "figures").iterdir()}
    assert not verbs.verify_study(walked).problems
