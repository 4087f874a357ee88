"""Several searches of one loss: samplers, folds and seeds of their own, and replicates divided evenly."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_study import PROTOCOL, write_study

from realitycheck.plan.cost import trainings
from realitycheck.plan.searches import search_folds, trainval_folds
from realitycheck.plan.seeds import run_seed
from realitycheck.plan.specs import DatasetPlan
from realitycheck.protocol.read import read_study

SEVERAL = PROTOCOL.replace("trials: 3,", "searches: 2, trials: 3,").replace("seeds: 2,", "seeds: 4,")
SHUFFLED = SEVERAL.replace("kind: blocks", "kind: shuffled")
KNOBS = {"pos_margin": 0.5, "neg_margin": 1.0}


def plan_of(home: Path, protocol: str) -> DatasetPlan:
    study = read_study(write_study(home, protocol=protocol)).study
    return DatasetPlan(study=study, dataset="pictures", data="d" * 64, test="t" * 64)


@pytest.fixture
def one(tmp_path) -> DatasetPlan:
    return plan_of(tmp_path / "one", PROTOCOL)


@pytest.fixture
def two(tmp_path) -> DatasetPlan:
    return plan_of(tmp_path / "two", SEVERAL)


def test_the_first_search_is_that_of_a_study_with_one(one, two):
    for alone, several in zip(one.losses, two.losses, strict=True):
        assert alone.searches[0].id == several.searches[0].id
        for slot in range(3):
            specs = [loss.searches[0].trial_runs(slot=slot, knobs=KNOBS) for loss in (alone, several)]
            assert [spec.id for spec in specs[0]] == [spec.id for spec in specs[1]]
            assert {spec.to_json()["search"] for spec in specs[1]} == {0}


def test_ids_and_groups_of_searches_differ(two):
    searches = two.searches
    assert len(searches) == 2 * len(two.losses)
    assert len({search.id for search in searches}) == len({search.group for search in searches}) == len(searches)
    first, second = two.losses[0].searches
    assert not {spec.id for spec in first.trial_runs(slot=0, knobs=KNOBS)} & {
        spec.id for spec in second.trial_runs(slot=0, knobs=KNOBS)
    }


def test_replicates_are_numbered_through_and_searches_take_turns(two):
    first, second = two.losses[0].searches
    assert (list(first.replicates), list(second.replicates)) == ([0, 2], [1, 3])


def test_seeds_of_a_search_are_its_own_and_shared_by_all_losses(two):
    for stream in ("init", "order", "augment"):
        seeds = [
            [run_seed(loss.searches[number].trial_runs(slot=0, knobs={})[0], stream) for loss in two.losses]
            for number in range(2)
        ]
        assert len(set(seeds[0])) == len(set(seeds[1])) == 1
        assert seeds[0][0] != seeds[1][0]


def test_seeded_folds_are_drawn_anew_for_every_search_and_blocks_are_not(two, tmp_path):
    blocks = [search_folds(two.protocol, search=number) for number in range(2)]
    assert blocks[0] == blocks[1] == two.protocol.folds
    shuffled = plan_of(tmp_path / "shuffled", SHUFFLED).protocol
    first, second = (trainval_folds(shuffled, 8, search=number) for number in range(2))
    assert first == trainval_folds(
        plan_of(tmp_path / "one", SHUFFLED.replace("searches: 2, ", "")).protocol, 8, search=0
    )
    assert [fold.val for fold in first] != [fold.val for fold in second]
    assert sorted(index for fold in second for index in fold.val) == list(range(8))


def test_all_losses_share_the_folds_of_a_search(tmp_path):
    plan = plan_of(tmp_path, SHUFFLED)
    for number in range(2):
        rules = {str(loss.searches[number].trial_runs(slot=0, knobs={})[0].folds) for loss in plan.losses}
        assert len(rules) == 1


def test_a_plan_with_several_searches_is_another_one_and_counts_them(one, two):
    assert one.digest != two.digest
    assert (one.claims["searches"], two.claims["searches"]) == (1, 2)
    # by hand: 2 searches of 3 trials on 2 folds; 4 replicates of 2 folds and a complete run each
    counts = trainings(two.protocol)
    assert (counts.search, counts.folds, counts.complete, counts.total) == (12, 8, 4, 24)


def test_untrained_models_share_the_initial_weights_of_the_replicates(two):
    for number, search in enumerate(two.untrained.searches):
        for index in search.replicates:
            untrained = search.replicate_runs(index=index, knobs={})
            trained = two.losses[0].searches[number].replicate_runs(index=index, knobs=KNOBS)
            assert [run_seed(spec, "init") for spec in untrained] == [run_seed(spec, "init") for spec in trained]
