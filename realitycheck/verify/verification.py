"""Verify a ledger, and a report of it, by a second derivation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from realitycheck.verify.accounts import check_accounts, check_complete
from realitycheck.verify.bodies import Bodies, halves_of_manifests, read_bodies
from realitycheck.verify.checks import Checks
from realitycheck.verify.declared import Declared, DeclaredStudy
from realitycheck.verify.derived_course import DerivedCourse
from realitycheck.verify.digests import Json, opening_key
from realitycheck.verify.numbers_again import NumbersAgain
from realitycheck.verify.questions import Ask, check_proposals
from realitycheck.verify.report_files import check_report
from realitycheck.verify.seals import check_openings, check_registered, check_registration, declared_on
from realitycheck.verify.shown_images import check_classes, check_manifest, check_neighbors
from realitycheck.verify.single_records import check_runs, check_scores
from realitycheck.verify.walk import Walk

Read = Callable[[Mapping[str, str]], DeclaredStudy]
"""Reads the texts of a study, a protocol and its ranges; raises ValueError where they are none."""


@dataclass(frozen=True, slots=True)
class Verified:
    """The result, with what the report is held to.

    Args:
        checks: what was counted, what does not hold and what was not checked.
        bodies: the records.
        study: the study; None where its files are not known.
        courses: the course of the study on each dataset.
        texts: the files of the study; empty where they are not known.
    """

    checks: Checks
    bodies: Bodies
    study: DeclaredStudy | None
    courses: tuple[DerivedCourse, ...]
    texts: Mapping[str, str]


def verify_ledger(folder: Path, *, texts: Mapping[str, str] | None, read: Read, ask: Ask | None) -> Verified:
    """Verify the records of a ledger.

    Args:
        folder: the folder of the ledger.
        texts: name → text of the files of the study, where they are not in a packed ledger that holds every record.
        read: reads such texts.
        ask: answers questions to the sampler and the selection; None to ask nothing.
    """
    checks = Checks()
    bodies = read_bodies(folder, checks)
    if bodies.earlier:
        says = f"{bodies.earlier} records of an earlier results version: only that their bytes are intact."
        checks.skip(says)
    check_runs(bodies, checks)
    check_scores(bodies, checks)
    check_neighbors(bodies, checks)
    manifests = halves_of_manifests(folder, checks)
    check_manifest(bodies, manifests, checks)
    check_classes(bodies, manifests, checks)
    known = bodies.texts if bodies.texts is not None and (not bodies.loose or texts is None) else texts
    if known is None or not bodies.by_id:
        if bodies.by_id:
            checks.skip("The files of the study are not known: searches, proposals, openings and registrations.")
        return Verified(checks, bodies, None, (), {})
    study = _with_recorded_sources(read(known), bodies)
    earlier = _registered(bodies, read, checks)
    courses = _present_courses(study, bodies, checks)
    _check_declared(study, earlier, courses, bodies, checks)
    check_proposals(courses, checks, ask=ask)
    return Verified(checks, bodies, study, tuple(courses), known)


def verify_report(verified: Verified, folder: Path) -> None:
    """Hold the files of a report to the records; its results are added to those of the ledger."""
    if verified.study is None or not verified.courses:
        verified.checks.skip(f"{folder}: there are no records from which its numbers follow.")
        return
    numbers = NumbersAgain(verified.study, verified.courses, verified.texts)
    check_report(folder, numbers, digest=verified.bodies.digest, checks=verified.checks)


def _with_recorded_sources(study: DeclaredStudy, bodies: Bodies) -> DeclaredStudy:
    """A class by address has the source of this machine if a run was made with it, else that of most runs."""
    recorded: dict[str, Counter[str]] = {}
    for run in bodies.of_kind("run"):
        for address, source in run["spec"]["sources"].items():
            recorded.setdefault(address, Counter())[source] += 1
    present = study.study["sources"]
    sources = {
        address: present[address] if present.get(address) in runs else runs.most_common(1)[0][0]
        for address, runs in recorded.items()
    }
    return replace(study, study={**study.study, "sources": {**present, **sources}})


def _registered(bodies: Bodies, read: Read, checks: Checks) -> list[DeclaredStudy]:
    """The studies that the registrations hold, each checked against its registration."""
    studies = []
    for body in sorted(bodies.of_kind("registration"), key=lambda one: one["number"]):
        try:
            study = _with_recorded_sources(read(dict(body["files"])), bodies)
        except ValueError as error:
            checks.skip(f"registration {body['id'][:12]}: its files cannot be read by this release ({error}).")
            continue
        check_registration(body, study, bodies, checks)
        studies.append(study)
    check_registered(bodies, checks)
    return studies


def _present_courses(study: DeclaredStudy, bodies: Bodies, checks: Checks) -> list[DerivedCourse]:
    """The course of the study on each dataset, on the halves to which its records belong."""
    courses = []
    for dataset in study.on:
        options = [one for one in declared_on(study, bodies, dataset) if _fits(one, bodies)]
        own = [one for one in options if opening_key(one.plan) in bodies.by_id] or options
        if len(own) > 1:
            checks.skip(f"{dataset}: the ledger holds records of {len(own)} versions of the images; one is reported.")
        if own:
            courses.append(Walk(own[-1], bodies.by_id).derived())
        else:
            checks.skip(f"{dataset}: there is no record of the study on it.")
    return courses


def _fits(declared: Declared, bodies: Bodies) -> bool:
    """Whether a proposal belongs to a search of the study on these halves."""
    keys = {
        declared.search_key(label, number) for label in declared.whole.labels for number in range(declared.searches)
    }
    return any(proposal["search"] in keys for proposal in bodies.of_kind("proposal"))


def _check_declared(
    study: DeclaredStudy, earlier: list[DeclaredStudy], courses: list[DerivedCourse], bodies: Bodies, checks: Checks
) -> None:
    """Walk through the records of every declared plan, and hold openings and all other records to these."""
    plans: dict[str, Declared] = {}
    seen = {key for course in courses for key in course.seen}
    for one in (study, *earlier):
        for dataset in one.on:
            for declared in declared_on(one, bodies, dataset):
                plans[declared.plan] = declared
                seen |= Walk(declared, bodies.by_id).derived().seen
    check_openings(bodies, plans, checks)
    for course in courses:
        check_complete(course, _opening_of(course, bodies), checks)
    known = bool(courses) and all(opening["plan"] in plans for opening in bodies.of_kind("opening"))
    check_accounts(bodies, courses, checks, seen=seen - _sealed(bodies), known=known)


def _sealed(bodies: Bodies) -> set[str]:
    return {body["id"] for body in bodies.by_id.values() if body["kind"] in ("opening", "registration")}


def _opening_of(course: DerivedCourse, bodies: Bodies) -> Json | None:
    return bodies.by_id.get(opening_key(course.declared.plan))
