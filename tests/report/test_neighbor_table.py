"""Nearest neighbours on the page: right and wrong by the names of the classes."""

import json
from dataclasses import replace

import pytest
from pages import found_in, html_section, markdown_section, texts_of

from realitycheck.records.nearest_images import NeighborLists, Query, ShownImage, neighbors_spec
from realitycheck.report.sections.neighbor_table import SECTION

QUERIES = (Query(1, "auk/1.jpg", "a" * 16, "auk", 1, 3), Query(5, "", "", "<b>", 2, 3))
AUK = (("auk", 1), ("bee", 5), ("auk", 2))
BEE = (("bee", 3), ("<b>", 6), ("auk", 0))


def image(name, number):
    return ShownImage(number, f"{name}/{number}.jpg", "f" * 16, name)


def stored(loss):
    spec = neighbors_spec("t", [f"model of {loss.label}"], loss.distance, QUERIES)
    nearest = tuple(tuple(image(*one) for one in images) for images in (AUK, BEE))
    return replace(loss, neighbors=NeighborLists(spec, nearest, (1, 2)))


@pytest.fixture
def shown(dataset):
    opening = replace(dataset.openings[0], queries=QUERIES)
    first, second, *others = dataset.losses
    untrained, *rest = dataset.untrained
    return replace(
        dataset,
        openings=(opening,),
        losses=(stored(first), stored(second), *others),
        untrained=(stored(untrained), *rest),
    )


def test_right_is_what_has_the_class_of_the_query(study, shown):
    facts = found_in(study, shown, SECTION)
    assert [row.label for row in facts.rows] == ["contrastive", "circle", "untrained embedder"]
    assert facts.without == ("soft_triple",)
    assert [[one.right for one in images] for images in facts.rows[0].nearest] == [
        [True, False, True],
        [False, True, False],
    ]


def test_the_tables_mark_right_and_wrong_by_signs(study, shown):
    texts = texts_of(study, [shown])
    section = markdown_section(texts["tables.md"], "Nearest neighbours").replace("\\", "")
    rows = [line for line in section.splitlines() if line.startswith("| auk")]
    assert rows[0] == "| auk / auk/1.jpg | contrastive | ✓ | ✗ bee | ✓ | 1 |"
    assert len(rows) == 3
    (other, *_) = (line for line in section.splitlines() if line.startswith("| <b> / image 5 of the test half"))
    assert other.endswith("| contrastive | ✗ bee | ✓ | ✗ auk | 2 |")
    page = html_section(texts["index.html"], "Nearest neighbours")
    assert "<td>✓</td><td>✗ bee</td><td>✓</td>" in page
    assert "&lt;b&gt;" in page and "<b>" not in page
    assert "soft_triple" in page
    (body,) = json.loads(texts["tables.json"])["datasets"]
    assert body["neighbors"]["queries"][0]["name"] == "auk/1.jpg"
    assert body["neighbors"]["rows"][1]["nearest"][0][1] == {
        "image": 5,
        "name": "bee/5.jpg",
        "file": "f" * 16,
        "class_name": "bee",
        "right": False,
    }


def test_without_lists_there_is_no_section(study, dataset):
    texts = texts_of(study, [dataset])
    assert "Nearest neighbours" not in texts["index.html"] + texts["tables.md"]
    assert json.loads(texts["tables.json"])["datasets"][0]["neighbors"] is None
