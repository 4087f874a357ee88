"""A design that can give no verdict: `plan` refuses it where its own estimator cannot, and says so in any case."""

from __future__ import annotations

import pytest
from scipy import optimize, stats
from small_study import PROTOCOL, STUDY, write_study

from realitycheck import verbs
from realitycheck.check.names import study_warnings
from realitycheck.check.possible_verdicts import needed_agreement, require_rejectable, why_undecided
from realitycheck.cli.plan_summary import sentences
from realitycheck.errors import InputError

TWO = STUDY.replace(" triplet: {},", "")


def read(tmp_path, interval, study=STUDY, protocol=PROTOCOL):
    protocol = protocol.replace("{method: student_t, level: 0.95}", interval)
    return verbs.load_study(write_study(tmp_path, protocol=protocol, study=study))


def codes(problems):
    return [problem.code for problem in problems if problem.code in ("verdicts-impossible", "design-never-rejects")]


# Half of the runners-up of all losses are the degrees of freedom, and four are needed: 3 · 2 / 2 = 3, 3 · 3 / 2 = 4.5,
# 2 · 3 / 2 = 3, 2 · 4 / 2 = 4.
EDGES = [(STUDY, 2, False), (STUDY, 3, True), (TWO, 3, False), (TWO, 4, True)]


@pytest.mark.parametrize(("study", "number", "possible"), EDGES)
def test_runners_up_alone_need_four_degrees_of_freedom(tmp_path, study, number, possible):
    of = read(tmp_path, f"{{method: runners_up, level: 0.95, runners_up: {number}}}", study)
    assert codes(study_warnings(of)) == ([] if possible else ["verdicts-impossible"])
    if possible:
        require_rejectable(of)
        return
    with pytest.raises(InputError) as caught:
        verbs.plan_study(of)
    assert codes(caught.value.problems) == ["design-never-rejects"]


@pytest.mark.parametrize("method", ["student_t", "class_bootstrap"])
@pytest.mark.parametrize(("number", "possible"), [(0, False), (2, False), (3, True)])
def test_a_method_that_needs_agreement_is_no_better_than_the_other_one(tmp_path, method, number, possible):
    of = read(tmp_path, f"{{method: {method}, level: 0.95, runners_up: {number}}}")
    assert codes(study_warnings(of)) == ([] if possible else ["verdicts-impossible"])
    require_rejectable(of)  # by itself it can reject, and a paper's protocol stays as it is


def test_with_several_searches_no_runners_up_are_needed(tmp_path):
    several = PROTOCOL.replace("trials: 3,", "searches: 2, trials: 3,")
    assert why_undecided(read(tmp_path, "{method: student_t, level: 0.95}", protocol=several).study) == ""


def test_a_plan_without_any_verdict_says_so(tmp_path):
    plan = verbs.plan_study(read(tmp_path, "{method: student_t, level: 0.95}"))
    assert plan.undecided
    assert plan.undecided in list(sentences(plan))
    assert plan.undecided in plan._repr_html_()


def test_a_plan_says_what_the_agreeing_method_finds(tmp_path):
    """The noncentral t of scipy: three losses, two comparisons, 3 · 4 / 2 = 6 degrees of freedom, one mean of each."""
    edge = stats.t.ppf(1 - 0.025 / 2, 6)
    shift = optimize.brentq(lambda x: stats.nct.sf(edge, 6, x) - 0.8, 1, 8)  # the other tail is 1e-9
    of = read(tmp_path, "{method: student_t, level: 0.95, runners_up: 4}")
    assert f" {shift * 2**0.5:.2f} standard deviations of the mean of one search" in needed_agreement(of.study)
    plan = verbs.plan_study(of)
    assert plan.agreement in list(sentences(plan))
    assert plan.agreement in plan._repr_html_()


@pytest.mark.parametrize(
    "interval", ["{method: student_t, level: 0.95}", "{method: runners_up, level: 0.95, runners_up: 4}"]
)
def test_a_plan_says_nothing_where_no_method_can_or_has_to_agree(tmp_path, interval):
    assert needed_agreement(read(tmp_path, interval).study) == ""
