"""Gains and losses by test class, against numbers from the records."""

import json
from dataclasses import replace

import numpy as np
import pytest
from made_records import with_search
from pages import found_in, html_section, markdown_row, markdown_section, texts_of

from realitycheck.report.sections.per_class import SECTION, ClassGaps, PerClass


def by_hand(study, loss):
    """Replicate × class, in percent."""
    category = study.primary.category
    rows = [each.per_class(category=category, distance=loss.distance) for each in loss.replicates]
    return 100 * np.array(rows)


@pytest.fixture
def gaps(study, dataset):
    base, circle, _ = (by_hand(study, loss) for loss in dataset.losses)
    return circle - base


def test_gaps_are_means_of_paired_differences(study, dataset, gaps):
    facts = found_in(study, dataset, SECTION)
    circle, soft_triple = facts.losses
    assert (circle.label, soft_triple.label) == ("circle", "soft_triple")
    assert [100 * gap for gap in circle.gaps] == pytest.approx(list(gaps.mean(axis=0)))
    assert circle.always_higher == (gaps > 0).all(axis=0).sum()
    assert circle.always_lower == (gaps < 0).all(axis=0).sum()
    assert circle.replicates == len(gaps)


def test_the_table_names_the_classes_of_the_opening(study, dataset, gaps):
    names = ("Auk", "Bee", "Cat", "Doe", "Elk", "Fox")
    opening = replace(dataset.openings[0], classes=names)
    text = texts_of(study, [replace(dataset, openings=(opening,))])["tables.md"]
    row = markdown_row(markdown_section(text, "Test classes"), "circle")
    means = dict(zip(names, gaps.mean(axis=0), strict=True))
    assert row[1] == str(sum(mean > 0 for mean in means.values()))
    assert row[3] == str(sum(mean < 0 for mean in means.values()))
    best, worst = max(means, key=means.get), min(means, key=means.get)
    for cell, name, sign in ((row[5], best, 1), (row[6], worst, -1)):
        assert cell.startswith(f"{name} ") == (sign * means[name] > 0)


def test_without_names_classes_have_numbers(study, dataset):
    facts = found_in(study, dataset, SECTION)
    assert facts.classes == tuple(f"class {number}" for number in range(1, 7))


def test_replicates_are_paired_by_number(study, dataset, gaps):
    base = dataset.losses[0]
    few = replace(dataset, losses=(with_search(base, replicates=base.replicates[2:]), *dataset.losses[1:]))
    circle = found_in(study, few, SECTION).losses[0]
    assert circle.replicates == len(gaps) - 2
    assert [100 * gap for gap in circle.gaps] == pytest.approx(list(gaps[2:].mean(axis=0)))


def test_without_common_replicates_there_is_no_section(study, dataset):
    bare = replace(dataset, losses=(with_search(dataset.losses[0], replicates=()), *dataset.losses[1:]))
    assert found_in(study, bare, SECTION) is None
    texts = texts_of(study, [bare])
    assert ">Test classes</h3>" not in texts["index.html"]
    assert json.loads(texts["tables.json"])["datasets"][0]["per_class"] is None


def test_names_are_text(study, dataset):
    hostile = "<script>alert(1)</script>"
    opening = replace(dataset.openings[0], classes=(hostile,) * 6)
    page = texts_of(study, [replace(dataset, openings=(opening,))])["index.html"]
    assert "&lt;script&gt;" in html_section(page, "Test classes")
    assert hostile not in page


def test_equal_scores_are_neither_higher_nor_lower(study, dataset):
    same = replace(dataset.losses[0], label="circle", distance=dataset.losses[0].distance)
    facts = found_in(study, replace(dataset, losses=(dataset.losses[0], same, dataset.losses[2])), SECTION)
    assert isinstance(facts, PerClass)
    assert facts.losses[0] == ClassGaps("circle", 4, (0.0,) * 6, 0, 0)
