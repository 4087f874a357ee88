import json
from dataclasses import replace

import numpy as np
import pytest
from made_records import DIVERGED, with_search
from pages import markdown_row, markdown_section, texts_of
from pydantic import TypeAdapter

from realitycheck.protocol.model import Phase
from realitycheck.protocol.space import Space
from realitycheck.protocol.units import LengthUnit
from realitycheck.report.sections.search_results import bounds_reached, on_bound, summarize_search


def summary_of(study, evidence):
    """The summary of a loss's only search."""
    (search,) = evidence.searches
    return summarize_search(evidence.label, search, study.protocol.space_of(study.loss(evidence.label), "cub200"))


@pytest.mark.parametrize(
    ("value", "log", "side"),
    [
        (0.01, True, "low"),
        (0.0104, True, "low"),  # log10 is 0.017 above -2 on a range of 2: 0.85 %
        (0.0106, True, None),  # 1.27 %
        (0.02, True, None),
        (0.02, False, None),  # 1.01 % of 0.99
        (0.0199, False, "low"),  # exactly 1 % of 0.99
        (0.99, False, None),
        (0.9902, False, "high"),
        (0.96, True, "high"),  # log10 is 0.0177 below 0
        (1.0, False, "high"),
    ],
)
def test_on_bound_on_the_ranges_own_scale(value, log, side):
    assert on_bound(value, (0.01, 1.0), log=log) == side


def test_whole_numbers_count_by_value():
    assert on_bound(10, (1, 10), log=False) == "high"
    assert on_bound(9, (1, 10), log=False) is None


def test_a_search(study, dataset):
    evidence = dataset.losses[2]
    values = [np.mean(trial.fold_values) for trial in evidence.trials]
    fresh = np.mean([run.best.scores["map_at_r"] for each in evidence.replicates for run in each.fold_runs])
    found = summary_of(study, evidence)
    assert (found.slot, found.finished, found.wanted, found.diverged) == (int(np.argmax(values)), 6, 6, 0)
    assert found.optimism == pytest.approx(max(values) - fresh)
    assert found.trial == int(np.argmax(values)) + 1
    assert found.searched == 3  # trunk_lr, centres and kind; tau is fixed


def test_chosen_settings_show_their_ranges(study, dataset):
    knobs = {knob.name: knob for knob in summary_of(study, dataset.losses[2]).knobs}
    assert list(knobs) == ["trunk_lr", "centres", "kind", "tau"]
    assert (knobs["trunk_lr"].scale, knobs["trunk_lr"].bounds) == ("log", (1e-6, 1e-3))
    assert (knobs["centres"].scale, knobs["centres"].bounds) == ("integer", (1, 10))
    assert (knobs["kind"].scale, knobs["kind"].options, knobs["kind"].on_bound) == (
        "choice",
        ("soft", "hard"),
        None,
    )
    assert (knobs["tau"].scale, knobs["tau"].value, knobs["tau"].bounds) == ("fixed", 0.2, None)


def test_outside_its_range_a_published_value_is_on_no_bound():
    assert on_bound(0.0, (0.01, 1.0), log=True) is None
    assert on_bound(1.01, (0.01, 1.0), log=False) is None


def chosen_in(study, dataset, space, knobs):
    """The knobs of the first loss, had it been searched in this space and these values been chosen."""
    choice = study.losses[0].model_copy(update={"space": TypeAdapter(Space).validate_json(json.dumps(space))})
    study = study.model_copy(update={"losses": (choice, *study.losses[1:])})
    (search,) = dataset.losses[0].searches
    evidence = with_search(dataset.losses[0], chosen=replace(search.chosen, knobs=knobs))
    return study, summary_of(study, evidence)


def test_whole_numbers_on_a_log_scale_and_choices_of_numbers(study, dataset):
    space = {"size": {"log_int_uniform": [1, 1000]}, "power": {"choice": [1, 2.5, 4]}}
    _, found = chosen_in(study, dataset, space, {"size": 940, "power": 2.5})
    size, power = found.knobs
    # log 940 is 0.9910 of log 1000; on the plain scale 940 would be 6 % away
    assert (size.scale, size.bounds, size.on_bound) == ("integer, log", (1, 1000), "high")
    assert (power.scale, power.value, power.options) == ("choice", 2.5, (1, 2.5, 4))
    assert (found.searched, found.on_bound) == (3, ["size"])  # trunk_lr is shared


def test_lengths_show_what_the_loss_gets(study, dataset):
    """In units of a length of 8: 0.5 is 4, and a factor of lengths of 24 is 3. The bound is that of the range."""
    space = {"point": {"uniform": [0.0, 0.5]}, "heat": {"log_uniform": [1, 500]}, "slope": {"uniform": [0.0, 1.0]}}
    choice = study.losses[0].model_copy(update={"space": TypeAdapter(Space).validate_json(json.dumps(space))})
    (search,) = dataset.losses[0].searches
    knobs, unit = {"point": 0.5, "heat": 24.0, "slope": 0.3}, LengthUnit(8.0, {"point": 1, "heat": -1})
    evidence = with_search(dataset.losses[0], chosen=replace(search.chosen, knobs=knobs, unit=unit))
    there = study.model_copy(update={"losses": (choice, *study.losses[1:])})
    found = {knob.name: knob for knob in summary_of(there, evidence).knobs}
    assert {name: knob.raw for name, knob in found.items()} == {"point": 4.0, "heat": 3.0, "slope": None}
    assert (found["point"].value, found["point"].on_bound) == (0.5, "high")


def test_follow_up_knobs_are_searched_where_there_is_a_follow_up(study, dataset):
    space = {"margin": {"uniform": [0.0, 1.0]}, "followup_margin": {"uniform": [0.0, 2.0]}}
    knobs = {"margin": 0.5, "followup_margin": 1.5}
    once, found = chosen_in(study, dataset, space, {"margin": 0.5})
    assert (found.searched, [knob.name for knob in found.knobs]) == (2, ["margin"])
    phases = (*study.protocol.phases, Phase(name="followup", cap=200, evaluate_every=50, patience=3))
    twice = once.model_copy(update={"protocol": once.protocol.model_copy(update={"phases": phases})})
    _, found = chosen_in(twice, dataset, space, knobs)
    assert (found.searched, [knob.name for knob in found.knobs]) == (3, ["margin", "followup_margin"])
    assert found.knobs[1].bounds == (0, 2)


def test_the_source_of_the_chosen_trial(study, dataset):
    evidence = dataset.losses[0]
    (search,) = evidence.searches
    published = with_search(evidence, chosen=replace(search.chosen, source="published"))
    assert summary_of(study, published).source == "published"
    assert summary_of(study, evidence).source in ("startup", "gp")


def test_diverged_trials_and_folds(study, dataset):
    evidence = dataset.losses[1]
    first = evidence.replicates[0]
    evidence = with_search(
        evidence,
        trials=(replace(evidence.trials[0], runs=(None, DIVERGED, None, None)), *evidence.trials[1:]),
        replicates=(replace(first, fold_runs=(DIVERGED, *first.fold_runs[1:])), *evidence.replicates[1:]),
    )
    found = summary_of(study, evidence)
    assert (found.diverged, found.finished) == (1, 6)
    whole = [run.best.scores["map_at_r"] for each in evidence.replicates[1:] for run in each.fold_runs]
    assert found.fresh == pytest.approx(np.mean(whole))


def test_a_search_under_way(study, dataset):
    evidence = with_search(dataset.losses[1], chosen=None, replicates=())
    found = summary_of(study, evidence)
    assert (found.slot, found.value, found.fresh, found.optimism, found.knobs) == (None, None, None, None, ())


def test_knobs_on_a_bound_name_the_searches(study, dataset):
    summary = summary_of(study, dataset.losses[1])
    low = replace(summary, knobs=(replace(summary.knobs[0], on_bound="low"), *summary.knobs[1:]))
    assert bounds_reached([low]) == ["trunk_lr"]
    assert bounds_reached([summary, replace(low, number=1), replace(low, number=2)]) == ["trunk_lr (2, 3)"]


def test_the_page_shows_cost_and_optimism(study, dataset):
    summary = summary_of(study, dataset.losses[1])
    table = markdown_section(texts_of(study, [dataset])["tables.md"], "Search")
    row = markdown_row(table, "circle")
    assert row[1:4] == ["6 of 6", "0", f"{summary.slot + 1} of 6"]
    assert row[6].replace("−", "-") == f"{100 * summary.optimism:+.2f}"


def test_the_page_names_a_published_setting_and_divergence(study, dataset, edit):
    def changed(loss):
        search = loss.searches[0]
        trials = (replace(search.trials[0], runs=(DIVERGED, *search.trials[0].runs[1:])), *search.trials[1:])
        return with_search(loss, trials=trials, chosen=replace(search.chosen, source="published"))

    table = markdown_section(texts_of(study, [edit(dataset, circle=changed)])["tables.md"], "Search")
    assert markdown_row(table, "circle")[3].endswith("(the published setting)")
    assert "Diverged runs of circle, of trials and replicates: 1 × loss is NaN." in table
