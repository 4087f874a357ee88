from dataclasses import replace

from realitycheck.report.verdicts import answers
from realitycheck.statistics.comparisons import Comparison, Verdict
from realitycheck.statistics.intervals import Interval


def found(label, verdict, mean=0.0125):
    interval = Interval(mean, mean - 0.004, mean + 0.004, 0.95, 10, "student_t", "seeds")
    inner = replace(interval, low=mean - 0.003, high=mean + 0.003, level=0.9)
    return Comparison(
        label, (mean,) * 10, mean, interval, inner, 0.01, 0.02, 0.03, 0.006, 0.5, disagreeing=False, verdict=verdict
    )


def say(*comparisons, marks=None):
    return answers(comparisons, baseline="base", smallest=0.005, marks=marks or {})


def test_one_of_each():
    assert say(
        found("d", Verdict.UNDECIDED, 0.002),
        found("c", Verdict.EQUIVALENT, -0.0001),
        found("a", Verdict.BETTER),
        found("b", Verdict.WORSE, -0.0125),
    ) == {
        "What differs?": "a is better than base (+1.25 points, 95 % interval +0.85 to +1.65). "
        "b is worse than base (−1.25 points, 95 % interval −1.65 to −0.85).",
        "What is equivalent?": "c is equivalent to base, within ±0.50 points (−0.01 points, 90 % interval −0.31 to "
        "+0.29).",
        "What is undecided?": "d against base is undecided (+0.20 points, 95 % interval −0.20 to +0.60).",
    }


def test_nothing_differs():
    said = say(found("a", Verdict.EQUIVALENT), found("b", Verdict.IDENTICAL))
    assert list(said) == ["What differs?", "What is equivalent?"]
    assert said["What differs?"] == "No loss is better or worse than base."


def test_no_verdict_no_claim():
    missing = replace(found("a", Verdict.BETTER), verdict=None)
    assert list(say(missing)) == ["What is undecided?"]
    assert list(say()) == ["What differs?"]


def test_several_of_a_kind():
    marks = {"b": ("reconstruction", "exploratory"), "c": ()}
    said = say(*(found(label, Verdict.BETTER) for label in "abc"), marks=marks)
    assert said["What differs?"] == "3 of 3 losses are better than base: a, b (reconstruction, exploratory) and c."


def test_without_an_interval():
    lone = Comparison(
        "a", (0.01, None), 0.01, None, None, 1.0, 1.0, 1.0, None, None, disagreeing=False, verdict=Verdict.UNDECIDED
    )
    assert say(lone)["What is undecided?"] == "a against base is undecided (+1.00 points on one seed, no interval)."
    lost = Comparison(
        "a", (None, None), None, None, None, 1.0, 1.0, 1.0, None, None, disagreeing=False, verdict=Verdict.UNDECIDED
    )
    assert say(lost)["What is undecided?"] == "a against base is undecided (no seed has both scores)."
