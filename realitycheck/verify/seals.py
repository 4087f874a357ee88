"""Openings and registrations: what was declared, when, and whether anything was scored without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from realitycheck.verify.bodies import Bodies
from realitycheck.verify.checks import Checks, few, shortened
from realitycheck.verify.declared import Declared, DeclaredStudy
from realitycheck.verify.digests import Json
from realitycheck.verify.shown_images import check_queries


def halves(bodies: Bodies, dataset: str) -> list[tuple[str, str | None]]:
    """The trainval and test halves of a dataset that the records name, those of openings first."""
    opened = [(one["data"], one["test"]) for one in bodies.of_kind("opening") if one["dataset"] == dataset]
    tried = {one["data"] for one in bodies.of_kind("proposal") if one["dataset"] == dataset}
    rest: list[tuple[str, str | None]] = [(data, None) for data in sorted(tried - {data for data, _ in opened})]
    return [*dict.fromkeys(opened), *rest]


def declared_on(study: DeclaredStudy, bodies: Bodies, dataset: str) -> list[Declared]:
    """A study on every pair of halves that the records name."""
    return [Declared(study, dataset, data, test) for data, test in halves(bodies, dataset)]


def check_openings(bodies: Bodies, plans: Mapping[str, Declared], checks: Checks) -> None:
    """Hold every opening to its plan, their numbers to be ascending, and every score to an opening before it.

    Args:
        bodies: every record.
        plans: digest of a plan → what it declares, of the study and its registrations.
        checks: the result.
    """
    openings = bodies.of_kind("opening")
    for opening in openings:
        where = f"opening {shortened(opening['id'])}"
        declared = plans.get(opening["plan"])
        if declared is None:
            checks.skip(f"{where}: the files of its plan are not in the ledger.")
            continue
        wrong = few(_opening_faults(opening, declared))
        says = f"its {wrong} are not those of the plan that it names."
        checks.holds(not wrong, what="openings", where=where, code="opening-differs", says=says)
    _check_numbers(openings, plans, checks)
    tests = {opening["test"] for opening in openings}
    for score in bodies.of_kind("score"):
        checks.holds(
            score["spec"]["test"] in tests,
            what="scores after an opening",
            where=f"score {shortened(score['id'])}",
            code="opening-missing",
            says="its test half was scored, and no opening of it is recorded.",
        )
    _check_times(bodies, plans, checks)


def _opening_faults(opening: Json, declared: Declared) -> list[str]:
    labels, aside = declared.whole.labels, opening.get("set_aside", {})
    keys = {label: [declared.search_key(label, number) for number in range(declared.searches)] for label in labels}
    recorded = {**opening["searches"], **aside}
    expected = {
        "searches": recorded == keys and not set(opening["searches"]) & set(aside),
        "claims": opening["claims"] == declared.claims,
        "data": (opening["dataset"], opening["data"], opening["test"])
        == (declared.dataset, declared.data, declared.test),
    }
    wrong = [name for name, holds in expected.items() if not holds]
    return [*wrong, *check_queries(opening, declared)]


def _check_numbers(openings: Sequence[Json], plans: Mapping[str, Declared], checks: Checks) -> None:
    """An opening has as many before it as its number says; those of other studies have numbers of their own."""
    own = [opening for opening in openings if opening["plan"] in plans]
    for opening in own:
        others = [one for one in openings if one["test"] == opening["test"] and one is not opening]
        twice = any(one["number"] == opening["number"] and one["plan"] in plans for one in others)
        checks.holds(
            opening["number"] <= len(others) and not twice,
            what="numbers of openings",
            where=f"opening {shortened(opening['id'])}",
            code="opening-missing",
            says=f"it has the number {opening['number']}, and the ledger holds {len(others)} others of its test half.",
        )


def _check_times(bodies: Bodies, plans: Mapping[str, Declared], checks: Checks) -> None:
    """Where the notes have the times: no score of a test half was made before its first opening."""
    done = {note["id"]: note["time"] for note in reversed(_by_time(bodies)) if note.get("kind") in ("done", "opened")}
    first: dict[str, str] = {}
    for opening in bodies.of_kind("opening"):
        if opening["id"] in done:
            time = done[opening["id"]]
            first[opening["test"]] = min(time, first.get(opening["test"], time))
    for score in (*bodies.of_kind("score"), *bodies.of_kind("neighbors")):
        test, time = score["spec"]["test"], done.get(score["id"])
        earliest = min((one["number"] for one in bodies.of_kind("opening") if one["test"] == test), default=0)
        own = [one for one in bodies.of_kind("opening") if one["test"] == test and one["number"] == earliest]
        if time is None or test not in first or own[0]["id"] not in done:
            continue
        checks.holds(
            first[test] <= time,
            what="times of scores",
            where=f"{score['kind']} {shortened(score['id'])}",
            code="opening-late",
            says=f"it was made at {time}, before the first opening of its test half at {first[test]}.",
        )


def _by_time(bodies: Bodies) -> list[Json]:
    return sorted((note for note in bodies.notes if "id" in note), key=lambda note: str(note["time"]))


def check_registration(body: Json, study: DeclaredStudy, bodies: Bodies, checks: Checks) -> None:
    """Hold a registration to the files that it holds: its searches, its claims and its plans follow from them."""
    where = f"registration {shortened(body['id'])}"
    for dataset, searches in body["searches"].items():
        if dataset not in study.on:
            checks.problem(where, "registration-differs", f"its files have no dataset {dataset}.")
            continue
        options = declared_on(study, bodies, dataset)
        fitting = [one for one in options if _keys_of(one) == searches]
        checks.holds(
            not options or fitting,
            what="registered searches",
            where=where,
            code="registration-differs",
            says=f"its searches on {dataset} are not those of the files that it holds.",
        )
        _check_claims(body, study, dataset, where, checks)
        planned = [one for one in fitting if one.plan == body["plans"][dataset]]
        if fitting and any(one.test for one in fitting):
            says = f"its plan on {dataset} is not that of the files that it holds."
            checks.holds(planned, what="registered plans", where=where, code="registration-differs", says=says)
        else:
            checks.skip(f"{where}: its plan on {dataset}, which holds the digest of a test half that is not opened.")
    total = sum(one["kind"] in ("proposal", "run", "score") for one in bodies.by_id.values())
    says = f"it counts {body['records']} records before it, and the ledger holds {total}."
    checks.holds(body["records"] <= total, what="registrations", where=where, code="registration-differs", says=says)


def _check_claims(body: Json, study: DeclaredStudy, dataset: str, where: str, checks: Checks) -> None:
    claims = Declared(study, dataset, "", None).claims
    says = f"its claims on {dataset} are not those of the files that it holds."
    checks.holds(
        body["claims"].get(dataset) == claims,
        what="registered claims",
        where=where,
        code="registration-differs",
        says=says,
    )


def _keys_of(declared: Declared) -> Json:
    return {
        label: [declared.search_key(label, number) for number in range(declared.searches)]
        for label in declared.whole.labels
    }


def check_registered(bodies: Bodies, checks: Checks) -> None:
    """Registrations are numbered from 0, and the openings of a test half follow one where there is any."""
    numbers = sorted(body["number"] for body in bodies.of_kind("registration"))
    says = f"the registrations have the numbers {numbers}: one is missing, or two are one."
    if numbers:
        checks.holds(
            numbers == list(range(len(numbers))),
            what="numbers of registrations",
            where="registrations",
            code="registration-differs",
            says=says,
        )
    else:
        checks.skip("The study was not registered.")
