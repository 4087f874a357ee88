"""The distance to the own class vector, and published tables of experiments beside a study."""

from __future__ import annotations

import json
from dataclasses import replace

from pages import texts_of

from realitycheck.losses.menu import MENU
from realitycheck.records.curves import TrainingPoint
from realitycheck.report.mean_course import mean_course
from realitycheck.report.papers.published_experiments import experiment_blocks, published_experiments
from realitycheck.report.sections import proxy_distances
from realitycheck.report.sections.proxy_distances import DistanceCourse, ProxyDistances


def test_every_row_is_whole_and_every_counterpart_known():
    tables = published_experiments()["warped2024"].tables
    assert list(tables) == ["III", "IV", "V"]
    for table in tables.values():
        assert all(len(row.values) == len(table.columns) for row in table.rows)
        ours = [row.ours for row in table.rows if row.ours]
        assert len(ours) == len(set(ours))
    for number in ("IV", "V"):
        assert all(row.ours in MENU for row in tables[number].rows)


def test_a_study_is_printed_below_the_row_of_its_loss():
    own = {"mine": {"clean": 40.0, "corrupted:cutout-2": 31.25}, "other": {"clean": 1.0}}
    table, note = experiment_blocks("warped2024", "IV", own, {"mine": "hist", "other": "triplet"})
    groups = [group for group in table.groups if group.muted]
    assert [group.rows[0][:3] for group in groups] == [("this study", "mine", "40.00")]
    assert groups[0].rows[0][7] == "31.25" and groups[0].rows[0][3] == "–"
    assert table.groups.index(groups[0]) == 1 and table.groups[0].rows[0][0] == "HIST"
    assert "without an interval" in note.text


def test_a_mean_course_counts_the_runs_that_reach_it():
    courses = [[(10, 1.0), (20, 3.0)], [(10, 2.0), (20, 5.0)], [(10, 6.0)], [(10, 7.0)], [(10, 4.0)]]
    assert mean_course(courses) == ([10], [4.0])
    assert mean_course(courses[:3]) == ([10, 20], [3.0, 4.0])
    assert mean_course([]) == ([], [])


def test_functions_are_paired_by_what_they_compute():
    def course(label, *functions):
        return DistanceCourse(label, functions, "euclidean", (10,), (1.0,), 2.5, {"nmi": 0.25}, 0, 1)

    facts = ProxyDistances(
        (
            course("a", "identity", "identity"),
            course("b", "warp", "identity"),
            course("c", "log", "identity"),
            course("d", "square", "square"),
            course("e", "warp", "square"),
            course("f"),
        )
    )
    numbers, names = proxy_distances._beside(facts)
    assert numbers["a"] == {"nmi": 25.0, "distance": 2.5}
    assert names == {"a": "identity", "b": "warp", "c": "log", "d": "square"}


def with_distances(loss):
    """Fold runs with two intervals: 4 and 2 in the first replicate, 4 and 6 in all others."""

    def trained(run, last):
        points = (TrainingPoint(50, "normal", 1.0, 4.0), TrainingPoint(100, "normal", 0.5, last))
        return replace(run, training=points)

    (search,) = loss.searches
    replicates = tuple(
        replace(one, fold_runs=tuple(trained(run, 2.0 if one.index == 0 else 6.0) for run in one.fold_runs))
        for one in search.replicates
    )
    return replace(loss, searches=(replace(search, replicates=replicates),))


def test_the_page_has_the_distances_of_losses_with_class_vectors(study, dataset, edit):
    assert ">Distance to the own class vector</h3>" not in texts_of(study, [dataset])["index.html"]
    texts = texts_of(study, [edit(dataset, soft_triple=with_distances)])
    assert ">Distance to the own class vector</h3>" in texts["index.html"]
    (course,) = json.loads(texts["tables.json"])["datasets"][0]["proxy_distances"]["courses"]
    assert (course["label"], course["iterations"], course["functions"]) == ("soft_triple", [50, 100], [])
    assert course["means"] == [4.0, 5.0] and course["end"] == 5.0  # (2 + 3 · 6) / 4
    assert "Images are augmented" in texts["index.html"]
    assert "table III" not in texts["index.html"]
