from dataclasses import replace

import numpy as np
import pytest
from made_records import together, unscored, with_search
from pages import findings_of
from scipy import stats

from realitycheck.report.sections import retraining
from realitycheck.statistics.comparisons import Verdict


def test_comparisons_are_paired_in_the_primary_category_and_metric(study, dataset):
    found = findings_of(study, [dataset]).datasets[0].comparisons
    assert [each.label for each in found] == ["circle", "soft_triple"]
    for comparison, loss in zip(found, dataset.losses[1:], strict=True):
        test = stats.ttest_rel(together(loss), together(dataset.losses[0]))
        assert comparison.p == pytest.approx(test.pvalue)
        low, high = test.confidence_interval(0.95)
        assert (comparison.interval.low, comparison.interval.high) == pytest.approx((low, high))
        r = np.corrcoef(together(loss), together(dataset.losses[0]))[0, 1]
        assert comparison.correlation == pytest.approx(r)


def test_a_finished_study(study, dataset):
    findings = findings_of(study, [dataset])
    assert findings.finished
    assert findings.study.smallest_difference == pytest.approx(0.005)
    assert list(findings.study.categories.values()) == ["complete-512", "ensemble-512", "aggregate-128"]
    assert [row.label for row in findings.datasets[0].untrained] == ["untrained embedder", "untrained trunk"]


def test_replacements_are_the_untrained_embedders_scores(synthetic, edit):
    study = synthetic.make_study(labels=("contrastive", "soft_triple"))
    dataset = synthetic.make_dataset(study)

    def one_bad(loss):
        return with_search(loss, replicates=(synthetic.diverge(loss.replicates[0], fold=0), *loss.replicates[1:]))

    assert findings_of(study, [dataset]).datasets[0].comparisons[0].verdict is Verdict.BETTER
    holed = findings_of(study, [edit(dataset, soft_triple=one_bad)]).datasets[0].comparisons[0]
    assert holed.p_holm < 0.05  # so on the nine common seeds, but not with 0.10 in place of the tenth
    assert holed.verdict is Verdict.UNDECIDED


def test_late_losses_are_exploratory_and_in_one_family_with_the_declared_ones(study, dataset, synthetic):
    early = synthetic.make_opening(["contrastive", "circle"], number=0)
    late = synthetic.make_opening(["contrastive", "circle", "soft_triple"], number=1)
    found = findings_of(study, [replace(dataset, openings=(early, late))]).datasets[0]
    assert found.exploratory == {"soft_triple"}
    circle, soft_triple = found.comparisons
    low, high = sorted([circle, soft_triple], key=lambda comparison: comparison.p)
    assert low.p_holm == pytest.approx(min(1, 2 * low.p))
    assert high.p_holm == pytest.approx(max(2 * low.p, high.p))
    assert [each.p_holm for each in findings_of(study, [dataset]).datasets[0].comparisons] == [
        circle.p_holm,
        soft_triple.p_holm,
    ]
    assert "soft_triple (exploratory)" in found.answer


def test_an_unfinished_study_names_what_is_missing(study, dataset, edit):
    def searching(loss):
        return with_search(loss, trials=loss.trials[:2], chosen=None, replicates=())

    def waiting(loss):
        return with_search(loss, replicates=(*loss.replicates[:3], unscored(loss.replicates[3])))

    findings = findings_of(study, [edit(dataset, circle=searching, soft_triple=waiting)])
    assert not findings.finished
    assert findings.datasets[0].missing == (
        "circle: 2 of 6 trials finished.",
        "soft_triple: 1 of 4 replicates without all test scores.",
    )
    assert [each.verdict for each in findings.datasets[0].comparisons] == [None, None]
    assert findings.datasets[0].answer == "2 of 2 losses have missing replicates: circle and soft_triple."


def test_no_evidence_at_all_is_not_finished(study):
    assert not findings_of(study, []).finished


def test_a_study_of_one_loss_compares_nothing(synthetic):
    study = synthetic.make_study(labels=("contrastive",), seeds=2, trials=6)
    found = findings_of(study, [synthetic.make_dataset(study)]).datasets[0]
    assert found.comparisons == ()
    assert found.answer == "There is nothing to compare with contrastive."


def test_what_is_found_once_belongs_to_its_findings(study, dataset):
    """Findings with a replaced part find their facts anew."""
    (found,) = findings_of(study, [dataset]).datasets
    whole = retraining.find(found)
    assert retraining.find(found) is whole
    assert retraining.find(replace(found, evidence=replace(found.evidence, losses=()))) != whole
