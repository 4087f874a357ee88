"""The verdicts that `verify` reads out of the sentences of a report."""

from __future__ import annotations

from realitycheck.verify.checks import Checks
from realitycheck.verify.sentences import check_answers

VERDICTS = {"sigmoid": "worse", "tanh": "worse", "warp": "undecided", "log": "undecided"}
SAID = (
    "2 of 4 losses are worse than identity (reconstruction): sigmoid (reconstruction) and tanh (reconstruction). "
    "2 of 4 losses are undecided against identity (reconstruction): warp (reconstruction) and log (reconstruction)."
)


def problems(said: str) -> list[str]:
    checks = Checks()
    own = {"comparisons": [{"label": label, "verdict": word, "detectable": None} for label, word in VERDICTS.items()]}
    reported = {"answers": {"What differs?": said}, "answer": said}
    check_answers({**own, "against_untrained": None}, reported, "tables.json", checks, primary=("complete", "map_at_r"))
    return [problem.says.split(",")[0] for problem in checks.problems]


def test_a_sentence_that_begins_with_a_number_is_one_of_its_own():
    assert problems(SAID) == []
    assert problems(SAID.replace("are worse", "are better")) == ["it calls sigmoid better", "it calls tanh better"]


def test_means_below_an_untrained_model_are_counted_again():
    gains = {"untrained trunk": [{"label": label, "mean": mean, "verdict": "undecided"} for label, mean in LOWER]}
    own = {"comparisons": [], "against_untrained": {"gains": gains}}

    def codes(tail: str) -> list[str]:
        checks = Checks()
        answer = f"0 of 2 losses are better than the untrained trunk; undecided: warp and log.{tail}"
        reported = {"answers": {}, "answer": "", "against_untrained": {"answer": answer}}
        check_answers(own, reported, "tables.json", checks, primary=("complete", "map_at_r"))
        return [problem.code for problem in checks.problems]

    assert codes(" All 2 means are lower, by 1.23 to 10.00 points.") == []
    assert codes("") == ["sentence-differs"]
    assert codes(" All 2 means are lower, by 1.24 to 10.00 points.") == ["sentence-differs"]
    assert codes(" All 3 means are lower, by 1.23 to 10.00 points.") == ["sentence-differs"]


LOWER = [("warp", -0.0123), ("log", -0.1)]
