"""Verdicts in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from realitycheck.report.wording import enumeration, marked, percent, points, signed, span
from realitycheck.statistics.base import present
from realitycheck.statistics.comparisons import POWER, Comparison, Verdict

QUESTIONS: Mapping[str, tuple[Verdict | None, ...]] = {
    "What differs?": (Verdict.BETTER, Verdict.WORSE),
    "What is equivalent?": (Verdict.EQUIVALENT, Verdict.IDENTICAL),
    "What is undecided?": (Verdict.UNDECIDED, None),
}
"""The questions of the headline → the verdicts that answer each; None where replicates are missing."""


EXPLORATORY = "exploratory"
"""The mark of a loss of which a part was decided too late."""

AFTERWARDS = "What was decided afterwards?"
"""The question that names exploratory losses, where they are many."""


def answers(
    comparisons: Sequence[Comparison], *, baseline: str, smallest: float, marks: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """Sum up the comparisons of one dataset: question → sentences, without the questions that have no answer.

    Args:
        comparisons: of every loss with the baseline.
        baseline: the baseline's name.
        smallest: the smallest difference of interest, as a fraction of one.
        marks: label → what is printed in brackets after it: `reconstruction`, `exploratory`.
    """
    first, *_ = QUESTIONS
    if not comparisons:
        return {first: f"There is nothing to compare with {baseline}."}
    known = {first: f"No loss is better or worse than {baseline}."} if any(one.verdict for one in comparisons) else {}
    for question, verdicts in QUESTIONS.items():
        groups = [[one for one in comparisons if one.verdict is verdict] for verdict in verdicts]
        sentences = [_group(group, len(comparisons), baseline, smallest, marks) for group in groups if group]
        if sentences:
            known[question] = " ".join(sentences)
    return known


def marked_in_answers(marks: Sequence[str], *, alone: bool) -> tuple[str, ...]:
    """The marks beside a name in the answers; `exploratory` only where no sentence says it, so that it is `alone`."""
    return tuple(mark for mark in marks if alone or mark != EXPLORATORY)


def decided_afterwards(number: int, total: int) -> dict[str, str]:
    """Say once that half of the losses or more are exploratory; empty where fewer are, which have a mark each."""
    if not number or 2 * number < total:
        return {}
    which = f"All {total}" if number == total else f"{number} of {total}"
    return {
        AFTERWARDS: f"{which} losses are {EXPLORATORY}: they or the claims were decided after the test half had been "
        "opened, or without a registration."
    }


def detectable_sentence(comparisons: Sequence[Comparison], *, baseline: str) -> str:
    """How large a true difference must be to be found; empty where no verdict has a standard error."""
    judged = [one for one in comparisons if one.verdict is not None]
    sizes = sorted((one.detectable, one.label) for one in judged if one.detectable is not None)
    if not sizes:
        return ""
    (least, label), (most, other) = sizes[0], sizes[-1]
    same = points(least) == points(most)
    span_of = f"{points(least)} points" if same else f"{points(least)} ({label}) to {points(most)} points ({other})"
    share_of = percent(POWER)
    return (
        f"With the spread measured here, a loss that truly differs from {baseline} by {span_of} is called better or "
        f"worse in {share_of} of all studies like this one; smaller differences are found less often."
    )


def _group(
    group: Sequence[Comparison], total: int, baseline: str, smallest: float, marks: Mapping[str, Sequence[str]]
) -> str:
    named = [marked(one.label, marks.get(one.label, ())) for one in group]
    if len(group) == 1:
        return f"{verdict_sentence(group[0], name=named[0], baseline=baseline, smallest=smallest)}."
    names, which = enumeration(named), f"{len(group)} of {total} losses"
    match group[0].verdict:
        case Verdict.BETTER | Verdict.WORSE as verdict:
            return f"{which} are {verdict} than {baseline}: {names}."
        case Verdict.EQUIVALENT:
            return f"{which} are equivalent to {baseline}, within ±{points(smallest)} points: {names}."
        case Verdict.UNDECIDED:
            return f"{which} are undecided against {baseline}: {enumeration(_reasoned(group, named))}."
        case Verdict.IDENTICAL:
            return f"{which} are identical to {baseline} in every replicate: {names}."
        case None:
            return f"{which} have missing replicates: {names}."


def _reasoned(group: Sequence[Comparison], named: Sequence[str]) -> list[str]:
    """The names, those with a common reason together, and that reason in brackets; those without one first."""
    reasons = dict.fromkeys([None, *(comparison.reason for comparison in group)])
    parts = []
    for reason in reasons:
        names = [name for name, comparison in zip(named, group, strict=True) if comparison.reason is reason]
        parts += [f"{enumeration(names)} ({reason})"] if reason and names else names
    return parts


def verdict_sentence(comparison: Comparison, *, name: str, baseline: str, smallest: float) -> str:
    """One verdict as a sentence, such as `circle is better than triplet (+1.20 points, 95 % interval …)`."""
    numbers, bound = _numbers(comparison), points(smallest)
    match comparison.verdict:
        case Verdict.BETTER | Verdict.WORSE:
            return f"{name} is {comparison.verdict} than {baseline}{numbers}"
        case Verdict.EQUIVALENT:
            return f"{name} is equivalent to {baseline}, within ±{bound} points{numbers}"
        case Verdict.UNDECIDED:
            reason = f": {comparison.reason}" if comparison.reason else ""
            return f"{name} against {baseline} is undecided{reason}{numbers}"
        case Verdict.IDENTICAL:
            return f"{name} is identical to {baseline} in every replicate"
        case None:
            return f"{name} against {baseline}: replicates are missing"


def _numbers(comparison: Comparison) -> str:
    if comparison.mean is None:
        return " (no seed has both scores)"
    equivalent = comparison.verdict is Verdict.EQUIVALENT
    shown = comparison.equivalence if equivalent else comparison.interval
    if shown is None:
        known = len(present(comparison.differences))
        seeds = "one seed" if known == 1 else f"{known} seeds"
        return f" ({signed(comparison.mean)} points on {seeds}, no interval)"
    return f" ({signed(comparison.mean)} points, {percent(shown.level)} interval {span(shown)})"
