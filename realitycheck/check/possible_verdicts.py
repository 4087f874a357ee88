"""Whether the design of a study can give any verdict, before any of it runs."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from realitycheck.errors import InputError, Problem
from realitycheck.protocol.model import Study
from realitycheck.protocol.read import ReadStudy

if TYPE_CHECKING:
    from realitycheck.statistics.base import Design, Estimator


def require_rejectable(read: ReadStudy) -> None:
    """Refuse a design of which the estimator itself can never call two losses different.

    Raises:
        InputError: no outcome of the study can be a verdict.
    """
    from realitycheck.statistics.power import can_reject  # scipy, that other verbs do without

    study = read.study
    if len(study.losses) < 2:
        says = "missing loss; add one to compare with: a study has two or more."
        raise InputError.one(read.source, "losses-few", says, where="losses", line=read.lines.of(("losses",)))
    if not can_reject(design_of(study), comparisons=len(study.losses) - 1):
        says = f"{study.protocol.interval.runners_up} is out of range: {_too_few(study)}"
        problem = read.protocol_problem(("interval", "runners_up"), "design-never-rejects", says)
        raise InputError(read.source, [problem])


def design_of(study: Study, *, sd_freedom: float | None = None) -> Design:
    """What the test of one difference rests on.

    Args:
        study: the study.
        sd_freedom: degrees of freedom of the standard deviation with which it is planned; None if that is known.
    """
    design = _estimator(study).design(replicates=study.protocol.final.seeds, losses=len(study.losses))
    return design if sd_freedom is None else replace(design, freedom=min(design.freedom, sd_freedom))


def needed_agreement(study: Study) -> str:
    """Say which estimator has to give a verdict as well, and what it finds; empty where none has to, or none can."""
    from realitycheck.statistics.comparisons import POWER
    from realitycheck.statistics.estimators import agreeing
    from realitycheck.statistics.power import can_decide, detectable_difference

    chosen, seeds, losses = _estimator(study), study.protocol.final.seeds, len(study.losses)
    other = agreeing(chosen)
    if other is None or not can_decide(chosen, replicates=seeds, losses=losses):
        return ""
    design = other.design(replicates=seeds, losses=losses)
    smallest = detectable_difference(design, comparisons=losses - 1, level=other.level, wanted=POWER)
    return (
        f"a verdict of {chosen.method} counts only where {other.method} gives it as well, which finds {smallest:.2f} "
        f"standard deviations of {design.unit} with {POWER:.0%} power"
    )


def why_undecided(study: Study) -> str:
    """Why the design can give no verdict, and what would change it; empty where it can give one."""
    from realitycheck.statistics.estimators import agreeing
    from realitycheck.statistics.power import can_decide

    chosen = _estimator(study)
    if can_decide(chosen, replicates=study.protocol.final.seeds, losses=len(study.losses)):
        return ""
    other = agreeing(chosen)
    condition = "" if other is None else f"one of {chosen.method} counts only where {other.method} gives it as well: "
    return f"no verdict will be given: {condition}{_too_few(study)}"


def verdict_warnings(read: ReadStudy) -> list[Problem]:
    """A warning where no outcome of the study can be a verdict. A study of one loss has a problem of its own."""
    if len(read.study.losses) < 2 or not (says := why_undecided(read.study)):
        return []
    return [read.protocol_problem(("interval", "runners_up"), "verdicts-impossible", says)]


def _estimator(study: Study) -> Estimator:
    from realitycheck.statistics.estimators import estimator

    rule, searches = study.protocol.interval, study.protocol.search.searches
    return estimator(rule.method, level=rule.level, searches=searches, runners_up=rule.runners_up)


def _too_few(study: Study) -> str:
    """What is too little: of all that a protocol can state, only the runners-up of one search can be too few."""
    from realitycheck.statistics.runners_up import LEAST_FREEDOM

    losses, scored = len(study.losses), study.protocol.interval.runners_up
    freedom, needed = losses * scored / 2, math.ceil(2 * LEAST_FREEDOM / losses)
    have = f"{losses} losses with `interval.runners_up: {scored}` have at most {freedom:g} degrees of freedom"
    return f"{have}, and the method runners_up needs {LEAST_FREEDOM}. Use {needed} or more."
