"""What is drawn from for a calibration on real searches, against the evidence that it is read from."""

from __future__ import annotations

import pytest
from made_records import together, with_search
from real_searches import searches_of
from synthetic import MEANS


@pytest.fixture(scope="module")
def study(synthetic_study):
    made = synthetic_study(labels=("contrastive", "circle", "soft_triple"), seeds=4, trials=6, searches=2)
    losses = [
        one.model_copy(update={"address": "circle"}) if one.label == "soft_triple" else one for one in made.losses
    ]
    return made.model_copy(update={"losses": tuple(losses)})


@pytest.fixture(scope="module")
def dataset(study, synthetic_dataset):
    return synthetic_dataset(study)


def test_labels_of_one_loss_are_searches_of_it_in_the_same_partitions(study, dataset):
    found = searches_of(dataset, study)
    names = [("contrastive", 0), ("circle", 1), ("circle", 2)]
    assert set(found) == {(loss, partition, number) for loss, number in names for partition in range(2)}


def test_scores_are_points_of_the_primary_score(study, dataset):
    found = searches_of(dataset, study)
    for number, loss in enumerate(dataset.losses):
        values = [100 * value for value in together(loss)]
        for partition in range(2):
            search = found[("contrastive" if number == 0 else "circle", partition, number)]
            assert search.replicates == pytest.approx(values[2 * partition : 2 * partition + 2])
            middle = MEANS[loss.label] - (0.001 if loss.distance == "euclidean" else 0)
            near = [middle + 0.001 * place for place in (-2, -1, 0, 1, 2)]  # as `make_near_best` makes them
            assert search.near_best == pytest.approx([100 * value for value in near])


def test_a_search_without_all_its_scores_is_left_out(study, dataset, edit):
    late = edit(dataset, circle=lambda loss: with_search(loss, number=1, replicates=()))
    assert set(searches_of(dataset, study)) - set(searches_of(late, study)) == {("circle", 1, 1)}
