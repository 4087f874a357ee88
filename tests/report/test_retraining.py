"""How runs ended, counted by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_records import DIVERGED, make_complete_run, make_ended, make_phase, with_search
from pages import Seen, html_section, markdown_row, markdown_section, texts_of

from realitycheck.protocol.model import Phase
from realitycheck.report.sections.retraining import Ending, Tally, cap_sentence, endings, skipped_sentence

NORMAL = Phase(name="normal", cap=500, evaluate_every=50, patience=3)
FOLLOWUP = Phase(name="followup", cap=1000, evaluate_every=50, patience=3)


def run(*phases):
    return make_ended("a run", *phases)


def evidence_of(loss, folds, trial):
    first = replace(loss.replicates[0], fold_runs=folds, complete_run=make_complete_run("x", length=300))
    second = replace(loss.replicates[1], fold_runs=(None,) * 4, complete_run=None)
    lone = replace(loss.trials[0], runs=trial)
    return with_search(loss, trials=(lone,), chosen=lone, replicates=(first, second))


@pytest.fixture
def evidence(dataset):
    """Of four final runs two at the cap, one of these with its best there, one by patience, one diverged."""
    folds = (
        run(make_phase(500, cap=500)),
        run(make_phase(500, cap=500, best=400)),
        run(make_phase(350, cap=500, best=200)),
        DIVERGED,
    )
    return evidence_of(dataset.losses[0], folds, (run(make_phase(500, cap=500)), DIVERGED, None, None))


def test_counts_by_hand(study, evidence):
    (found,) = endings(evidence, study.protocol)
    assert (found.label, found.phase, found.cap) == ("contrastive", "normal", 500)
    assert found.final == Tally(runs=3, capped=2, rising=1)
    assert found.search == Tally(runs=1, capped=1, rising=1)
    assert found.complete == (300,)


def test_each_phase_is_counted_by_itself(study, dataset):
    protocol = study.protocol.model_copy(update={"phases": (NORMAL, FOLLOWUP)})
    followed = run(make_phase(500, cap=500), make_phase(150, cap=1000, best=0, name="followup"))
    cut = run(make_phase(200, cap=500, best=50), make_phase(1000, cap=1000, name="followup"))
    normal, followup = endings(evidence_of(dataset.losses[0], (followed, cut), ()), protocol)
    assert (normal.cap, normal.final) == (500, Tally(2, 1, 1))
    assert (followup.phase, followup.cap, followup.final) == ("followup", 1000, Tally(2, 1, 1))


def ending(label, capped, runs=40, cap=500):
    return Ending(label, 0, "normal", cap, Tally(runs, capped, capped), Tally(0, 0, 0), ())


def test_the_cap_matters_where_it_ended_most_runs():
    some = cap_sentence([ending("a", 21), ending("b", 20)], shown=lambda label: f"<{label}>")
    assert some.startswith("Most final fold runs of <a> stopped at the cap of 500 iterations,")
    both = cap_sentence([ending("a", 40), ending("b", 40), ending("b", 30, cap=1000)], shown=str)
    assert both.startswith("Most final fold runs of every loss stopped at the cap of 500 and 1,000 iterations,")
    assert cap_sentence([ending("a", 20), ending("b", 0, runs=0)], shown=str) == ""


def test_complete_runs_without_a_normal_phase_are_warned_of():
    """Mean lengths of 4 normal epochs and 1 follow-up epoch: both totals are rounded up to 5, and nothing is left."""

    def phases(label, normal, followup):
        none = Tally(0, 0, 0)
        lengths = {"normal": normal, "followup": followup}
        return [Ending(label, 0, name, 500, none, none, complete) for name, complete in lengths.items()]

    found = [*phases("a", (), (500, 500)), *phases("b", (500,), (500,)), *phases("c", (), ())]
    assert skipped_sentence(found, shown=lambda label: f"<{label}>").startswith("Complete runs of <a> have no normal")
    assert skipped_sentence(phases("b", (500, 500), ()), shown=str) == ""


def test_page_and_markdown_show_the_endings(study, evidence, dataset):
    texts = texts_of(study, [replace(dataset, losses=(evidence, *dataset.losses[1:]))])
    page, text = Seen(texts["index.html"]).text, texts["tables.md"]
    sentence = "Most final fold runs of contrastive stopped at the cap"
    assert page.count(sentence) == text.count(sentence) == 2  # below the answer, and in the section
    table = markdown_section(text, "Retraining")
    assert markdown_row(table, "contrastive") == ["contrastive", "500", "2 of 3", "1", "1 of 1", "1", "300"]


def test_each_phase_has_a_line(study, dataset):
    protocol = study.protocol.model_copy(update={"phases": (NORMAL, FOLLOWUP)})
    two = study.model_copy(update={"protocol": protocol})
    html = html_section(texts_of(two, [dataset])["index.html"], "Retraining")
    assert html.count('scope="rowgroup" rowspan="2"') == 3
    assert html.count("<td>follow-up</td>") == 3
