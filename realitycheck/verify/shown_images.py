"""The queries of an opening, their nearest neighbours, and the table of these.

Distances cannot be derived again without the models; all that follows from names, classes and numbers is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from realitycheck.verify.bodies import Bodies
from realitycheck.verify.checks import Checks, few, shortened
from realitycheck.verify.declared import Declared
from realitycheck.verify.derived_course import DerivedCourse, DerivedRow
from realitycheck.verify.digests import VERSION, Json, seed_of, sha256_of
from realitycheck.verify.printed import Cell, WantedTable, cell

DRAWN, LISTED = 8, 5
"""Queries of a test half, and neighbours of each."""

RIGHT, WRONG = "✓", "✗"

NAMES = ("name", "file", "class")
"""What a record says of an image beside its number."""


def listing_key(test: str | None, models: Sequence[str], distance: str, queries: Sequence[Json]) -> str:
    """The id of the list of neighbours of one row."""
    spec = {
        "results_version": VERSION,
        "test": test,
        "models": list(models),
        "distance": distance,
        "queries": [query["image"] for query in queries],
        "count": LISTED,
    }
    return sha256_of({"neighbors": spec})


def shown_models(declared: Declared, row: DerivedRow) -> list[str] | None:
    """The models of the first replicate without a diverged one: complete, or all folds; None where there are none."""
    whole = "complete" in declared.categories
    own = declared.protocol["final"]["complete"] == "per_replicate"
    for one in row.searches[0].replicates:
        runs = [one.complete] if whole else one.folds
        if all(run is not None and run["outcome"] == "completed" for run in runs):
            return [run["id"] for run in runs if run is not None]
        lost = one.folds if whole and one.complete is None and own else runs
        diverged = [run is not None and run["outcome"] == "diverged" for run in lost]
        if not (all(diverged) if whole else any(diverged)):
            return None
    return None


def check_queries(opening: Json, declared: Declared) -> Iterator[str]:
    """What is wrong with the queries of an opening, which follow from the root seed and the names of the classes."""
    queries, root, dataset = opening.get("queries", []), declared.protocol["seed"], declared.dataset
    if not queries:
        return
    classes = opening.get("classes", [])
    keys = {name: seed_of(root, dataset, "queries", name) for name in classes}
    drawn = sorted(sorted(classes, key=lambda name: (keys[name], classes.index(name)))[:DRAWN], key=classes.index)
    if [query["class"] for query in queries] != drawn:
        yield "classes of its queries"
    places = [seed_of(root, dataset, "queries", one["class"], "image") % max(1, one["size"]) for one in queries]
    if [query["place"] for query in queries] != places:
        yield "places of its queries"
    spans = [_span(query) for query in queries]
    if any(low < 0 for low, _ in spans) or any(one[1] > two[0] for one, two in pairwise(spans)):
        yield "numbers of its queries"


def _span(query: Json) -> tuple[int, int]:
    """The numbers of the images of a query's class: the first, and the one after the last."""
    start = query["image"] - query["place"]
    return start, start + query["size"]


def check_neighbors(bodies: Bodies, checks: Checks) -> None:
    """Hold every list of neighbours to its queries, and all of a test half to one name and class for each image."""
    known: dict[tuple[str, int], tuple[str, ...]] = {}
    openings = bodies.of_kind("opening")
    for opening in openings:
        for query in opening.get("queries", []):
            known.setdefault((opening["test"], query["image"]), _named(query))
    for body in bodies.of_kind("neighbors"):
        spec = body["spec"]
        fitting = [one for one in openings if one["test"] == spec["test"] and _numbers(one) == spec["queries"]]
        wrong = few(_faults(body, fitting[0], bodies, known)) if fitting else "no opening has its queries"
        checks.holds(
            not wrong,
            what="lists of nearest neighbours",
            where=f"neighbors {shortened(body['id'])}",
            code="neighbors-inconsistent",
            says=f"{wrong}.",
        )


def _numbers(opening: Json) -> list[int]:
    return [query["image"] for query in opening.get("queries", [])]


def _named(image: Json) -> tuple[str, ...]:
    return tuple(str(image[name]) for name in NAMES)


def _faults(body: Json, opening: Json, bodies: Bodies, known: dict[tuple[str, int], tuple[str, ...]]) -> Iterator[str]:
    spec, queries = body["spec"], opening["queries"]
    total = next((_images(one) for one in bodies.of_kind("score") if one["spec"]["test"] == spec["test"]), None)
    for query, images, first in zip(queries, body["nearest"], body["first_right"], strict=True):
        numbers = [image["image"] for image in images]
        if len(set(numbers)) < len(numbers) or query["image"] in numbers:
            yield f"an image is listed twice, or as its own neighbour, for image {query['image']}"
        if total is not None and (len(images) != min(spec["count"], total - 1) or max(numbers, default=0) >= total):
            yield f"the list of image {query['image']} has another length, or an image beyond the {total} of the half"
        right = [rank for rank, image in enumerate(images, 1) if image["class"] == query["class"]]
        last = total - query["size"] + 1 if total is not None else first
        if first != right[0] if right else not len(images) < first <= last:
            yield f"the first right neighbour of image {query['image']} is not of rank {first}"
        for image in images:
            low, end = _span(query)
            if (low <= image["image"] < end) != (image["class"] == query["class"]):
                yield f"image {image['image']} is not of class {image['class']}"
            if known.setdefault((spec["test"], image["image"]), _named(image)) != _named(image):
                yield f"image {image['image']} has another name, digest or class elsewhere"


def _images(score: Json) -> int:
    return int(score["queries"]) + int(score["singletons"])


def check_manifest(bodies: Bodies, manifests: Mapping[str, Any], checks: Checks) -> None:
    """Hold names, digests and classes to the manifest of the images, where it is there.

    Args:
        bodies: every record.
        manifests: digest of a test half → the half in the manifest.
        checks: the result.
    """
    for test, image in _every(bodies):
        half = manifests.get(test)
        if half is None or not half["names"]:
            continue
        number = image["image"]
        there = number < len(half["names"]) and (
            half["names"][number],
            half["files"][number],
            half["classes"][half["labels"][number]],
        )
        says = f"its name, digest or class is not that of the manifest, {there or 'which is shorter'}."
        checks.holds(
            there == _named(image),
            what="images of the manifest",
            where=f"image {number} of the test half",
            code="neighbors-inconsistent",
            says=says,
        )


def check_classes(bodies: Bodies, manifests: Mapping[str, Any], checks: Checks) -> None:
    """Hold the names of the classes of an opening to its scores, and to the manifest where it is there."""
    lengths = {
        one["spec"]["test"]: len(one["each"][0]["cosine"]["map_at_r_per_class"]) for one in bodies.of_kind("score")
    }
    for opening in bodies.of_kind("opening"):
        names, half = opening.get("classes", []), manifests.get(opening["test"])
        if not names:
            continue
        wanted = names
        if half is not None:
            sizes = [half["labels"].count(label) for label in range(len(half["classes"]))]
            wanted = [name for name, size in zip(half["classes"], sizes, strict=True) if size > 1]
        counted = lengths.get(opening["test"], len(names))
        checks.holds(
            names == wanted and len(set(names)) == counted,
            what="names of test classes",
            where=f"opening {shortened(opening['id'])}",
            code="opening-differs",
            says=f"its {len(names)} names are not those of the {counted} scored classes, or of the manifest.",
        )


def _every(bodies: Bodies) -> Iterator[tuple[str, Json]]:
    """Test half and image of every query and neighbour."""
    for opening in bodies.of_kind("opening"):
        yield from ((opening["test"], query) for query in opening.get("queries", []))
    for body in bodies.of_kind("neighbors"):
        yield from ((body["spec"]["test"], image) for images in body["nearest"] for image in images)


def neighbor_facts(course: DerivedCourse) -> Json | None:
    """The lists of all rows as `tables.json` has them; None where none is stored."""
    stored = [(row.label, row.neighbors) for row in course.rows if row.neighbors]
    numbers = [body["spec"]["queries"] for _, body in stored]
    queries = next((one["queries"] for one in course.openings if one.get("queries") and _numbers(one) in numbers), None)
    if queries is None:
        return None
    return {
        "queries": [_asked(query) for query in queries],
        "rows": [_row(label, body, queries) for label, body in stored],
        "without": [row.label for row in course.losses if row.neighbors is None],
    }


def _asked(query: Json) -> Json:
    kept = {name: value for name, value in query.items() if name != "class"}
    return {**kept, "class_name": query["class"]}


def _row(label: str, body: Json, queries: Sequence[Json]) -> Json:
    nearest = [
        [
            {
                **{name: image[name] for name in ("image", "name", "file")},
                "class_name": image["class"],
                "right": image["class"] == query["class"],
            }
            for image in images
        ]
        for query, images in zip(queries, body["nearest"], strict=True)
    ]
    own = {"models": body["spec"]["models"], "distance": body["spec"]["distance"]}
    return {"label": label, **own, "nearest": nearest, "first_right": body["first_right"]}


def neighbor_table(dataset: Json) -> list[WantedTable]:
    """One row per loss below each query: right, or the class of another one, and the rank of the first right one."""
    facts = dataset["neighbors"]
    if facts is None:
        return []
    most = max(len(images) for row in facts["rows"] for images in row["nearest"])
    lines: list[list[Cell]] = []
    for place, query in enumerate(facts["queries"]):
        below = query["name"] or f"image {query['image']} of the test half"
        head = cell(query["class_name"], ("", "/"), below)
        for row in facts["rows"]:
            shown = row["nearest"][place]
            marks = [cell(RIGHT) if one["right"] else cell(f"{WRONG} {one['class_name']}") for one in shown]
            empty = [cell("")] * (most - len(shown))
            lines.append([head, cell(row["label"]), *marks, *empty, cell(str(row["first_right"][place]))])
    heads = ["Query", "Loss", *map(str, range(1, most + 1)), "First right"]
    return [WantedTable("nearest neighbours", heads, lines, keys=2)]
