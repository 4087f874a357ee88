"""Every record belongs to the study, and nothing that must be there is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from realitycheck.verify.bodies import Bodies
from realitycheck.verify.checks import Checks, shortened
from realitycheck.verify.declared import UNTRAINED, Declared
from realitycheck.verify.derived_course import DerivedCourse, DerivedSearch
from realitycheck.verify.digests import Json, proposal_key


class Unaccounted(NamedTuple):
    """What is wrong with a record or a search: a code and a sentence."""

    code: str
    says: str


EVIDENCE = ("proposal", "selection", "run", "score", "neighbors")


def check_complete(course: DerivedCourse, opening: Json | None, checks: Checks) -> None:
    """After the opening of the test half nothing of its searches may be missing; before it, say what is."""
    unfinished = 0
    for row in course.losses:
        opened = opening is not None and row.label in opening["searches"]
        for search in row.searches:
            checks.count("searches")
            lacking = list(_lacking(course.declared, search))
            if opened:
                for code, says in lacking:
                    checks.problem(named(course.declared, search), code, f"{says}, and the test half was opened.")
            else:
                unfinished += bool(lacking)
    if unfinished:
        total = sum(len(row.searches) for row in course.losses)
        checks.skip(f"{course.declared.dataset}: {unfinished} of {total} searches are not finished.")


def _lacking(declared: Declared, search: DerivedSearch) -> Iterator[Unaccounted]:
    """What a search lacks of all that comes before the opening of the test half: a code, and what is missing."""
    lacking = search.planned - sum(trial.complete for trial in search.trials)
    if lacking:
        yield Unaccounted("trial-missing", f"{lacking} of {search.planned} trials are missing or lack a fold run")
        return
    if search.selecting:
        yield Unaccounted("trial-missing", "the selection by posterior mean is missing")
    holes = sum(run is None for replicate in search.replicates for run in replicate.folds)
    if holes and declared.runners_up:
        yield Unaccounted("run-missing", f"{holes} fold runs of its replicates are missing")


def named(declared: Declared, search: DerivedSearch) -> str:
    """`dataset/loss`, with the number of the search where there are several."""
    several = f"/{search.number + 1}" if declared.searches > 1 else ""
    return f"{declared.dataset}/{search.label}{several}"


def check_accounts(
    bodies: Bodies, courses: Sequence[DerivedCourse], checks: Checks, *, seen: set[str], known: bool
) -> None:
    """Name each record that belongs to no search of the study or of a plan that it has declared before.

    Args:
        bodies: every record.
        courses: of the study's datasets.
        checks: the result.
        seen: ids of the records that belong to the study or to an earlier plan of it.
        known: whether the files of all plans are known, to which records may belong; otherwise they are only counted.
    """
    others = [body for body in bodies.by_id.values() if body["kind"] in EVIDENCE and body["id"] not in seen]
    checks.count("records of a declared search", len(seen))
    if others and not known:
        checks.skip(f"{len(others)} records of earlier plans, of which the ledger does not hold the files.")
        return
    for body in others:
        where = f"{body['kind']} {shortened(body['id'])}"
        code, says = _why(body, courses)
        checks.problem(where, code, says)


def _why(body: Json, courses: Sequence[DerivedCourse]) -> Unaccounted:
    """The code and sentence of a record that does not belong to the study."""
    for course in courses:
        if body["kind"] == "proposal" and (reason := _proposal_why(body, course)):
            return reason
        if body["kind"] == "run" and (reason := _run_why(body["spec"], course)):
            return reason
    if body["kind"] == "score":
        return Unaccounted("score-undeclared", "it scores models that no opened plan declares together.")
    return Unaccounted(
        "record-foreign", "it belongs to no search of this study, nor of its registrations and openings."
    )


def _proposal_why(body: Json, course: DerivedCourse) -> Unaccounted | None:
    declared = course.declared
    keys = {search.key for row in course.losses for search in row.searches}
    if body["search"] in keys and body["slot"] >= declared.trials:
        return Unaccounted("trial-beyond", f"trial {body['slot'] + 1} is beyond the {declared.trials} of the protocol.")
    return None


def _run_why(spec: Json, course: DerivedCourse) -> Unaccounted | None:
    """Why a run of the right protocol belongs to no trial and no replicate."""
    declared = course.declared
    label = spec["loss"]["label"] if spec["loss"] else UNTRAINED
    if label not in (*declared.whole.labels, UNTRAINED) or spec["search"] >= declared.searches:
        return None
    parts = {name: spec[name] for name in ("stage", "index", "fold", "knobs", "phases")}
    if spec["dataset"] != declared.dataset or declared.run(label, spec["search"], **parts) != spec:
        return None
    if spec["stage"] == "search":
        return _trial_why(spec, course, label)
    if spec["index"] not in declared.replicates(spec["search"]):
        return Unaccounted(
            "seed-beyond", f"replicate {spec['index'] + 1} of {label} is not one of the protocol's {declared.seeds}."
        )
    searches = course.row(label).searches if label != UNTRAINED else ()
    search = next((one for one in searches if one.number == spec["search"]), None)
    if search is not None and search.chosen is None:
        return Unaccounted(
            "setting-differs", f"{label} has retrained models, and no search of it has chosen a setting."
        )
    if spec["fold"] is None:
        return Unaccounted(
            "setting-differs", f"a complete run of {label} has another setting or length than its fold runs lead to."
        )
    return Unaccounted("setting-differs", f"a fold run of {label} has another setting than the chosen trial.")


def _trial_why(spec: Json, course: DerivedCourse, label: str) -> Unaccounted:
    slot, declared = spec["index"], course.declared
    key = proposal_key(declared.search_key(label, spec["search"]), slot)
    if slot >= declared.trials:
        return Unaccounted("trial-beyond", f"trial {slot + 1} is beyond the {declared.trials} of the protocol.")
    if key not in course.seen:
        return Unaccounted(
            "trial-missing", f"it is a fold run of trial {slot + 1} of {label}, whose proposal is missing."
        )
    return Unaccounted(
        "setting-differs", f"a fold run of trial {slot + 1} of {label} has another setting than its proposal."
    )
