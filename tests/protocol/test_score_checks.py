"""What a protocol asks for beside the scores of every record."""

from __future__ import annotations

import pytest

from realitycheck.errors import InputError
from realitycheck.protocol.model import Protocol, Scores
from realitycheck.protocol.parse import read_protocol


def asked(home, text: str) -> Protocol:
    home.protocol.write_text(home.protocol.read_text() + text)
    return read_protocol(home.protocol).value


def told(home, text: str) -> list[str]:
    with pytest.raises(InputError) as error:
        asked(home, text)
    return [f"{each.where}: {each.says}" for each in error.value.problems]


def test_nothing_is_asked_for_and_nothing_is_written(home):
    protocol = asked(home, "")
    assert protocol.metrics == ("map_at_r", "r_precision", "precision_at_1")
    assert "scores" not in protocol.model_dump(mode="json")


def test_recall_and_nmi_follow_the_three_scores(home):
    protocol = asked(home, "scores: {recall_at: [1, 10], nmi: true}\n")
    assert protocol.metrics[3:] == ("recall_at_1", "recall_at_10", "nmi")
    assert protocol.model_dump(mode="json")["scores"] == {"recall_at": [1, 10], "nmi": True}
    assert Protocol.model_validate_json(protocol.model_dump_json()) == protocol


def test_a_dataset_may_ask_for_others(home):
    protocol = asked(home, "scores: {recall_at: [1, 2]}\non: {sop: {scores: {recall_at: [1, 1000], nmi: true}}}\n")
    assert protocol.of("sop").scores == Scores(recall_at=(1, 1000), nmi=True)
    assert protocol.of("cub200").scores == protocol.scores == Scores(recall_at=(1, 2))
    assert protocol.of("sop").recipe == protocol.recipe


@pytest.mark.parametrize("scores", ["{}", "{nmi: false}", "{recall_at: []}"])
def test_asking_for_nothing_is_refused(home, scores):
    (says,) = told(home, f"scores: {scores}\n")
    assert says.startswith("scores: must ask for something; got nothing. Add `recall_at")


@pytest.mark.parametrize("ks", ["[1, 4, 2]", "[1, 4, 4]"])
def test_ks_rise(home, ks):
    (says,) = told(home, f"scores: {{recall_at: {ks}}}\n")
    assert says.startswith("scores.recall_at.2: must be larger than the one before it, 4; got ")


def test_a_k_is_at_least_1_and_a_whole_number(home):
    (says,) = told(home, "scores: {recall_at: [0, 1]}\n")
    assert says == "scores.recall_at.0: must be at least 1; got 0. Raise it."
    (says,) = told(home, "on: {sop: {scores: {recall_at: [1, ten]}}}\n")[-1:]
    assert "on.sop.scores.recall_at.1: must be a whole number" in says


def test_the_checks_reach_single_datasets(home):
    (says,) = told(home, "on: {sop: {scores: {recall_at: [10, 1]}}}\n")
    assert says.startswith("on.sop.scores.recall_at.1: must be larger than the one before it, 10; got 1.")
