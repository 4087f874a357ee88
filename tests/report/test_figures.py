import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from realitycheck.report.drawing import look_of
from realitycheck.report.figures import (
    curves_figure,
    differences_figure,
    mean_curve,
    scores_figure,
    search_figure,
)
from realitycheck.report.summary import summarize

SVG = "{http://www.w3.org/2000/svg}"


def draw(kind, study, dataset):
    summary = summarize(study, [dataset])
    match kind:
        case "scores":
            return scores_figure(summary, summary.datasets[0], name="scores-x")
        case "differences":
            return differences_figure(summary, summary.datasets[0], name="differences-x")
        case "search":
            return search_figure(dataset, name="search-x")
        case _:
            return curves_figure(dataset, name="curves-x")


KINDS = ["scores", "differences", "search", "curves"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_is_whole_named_and_the_same_every_time(kind, study, dataset):
    svg = draw(kind, study, dataset)
    assert svg == draw(kind, study, dataset)
    root = ET.fromstring(svg)
    assert root.get("role") == "img"
    assert root.get("aria-label") == root.find(f"{SVG}title").text
    ids = [each.get("id") for each in root.iter() if each.get("id")]
    assert len(ids) == len(set(ids))
    assert all(each.startswith(f"{kind}-x-") for each in ids)
    assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', svg)) <= {(i, "") for i in ids} | {("", i) for i in ids}
    assert "date" not in svg
    assert "circle" in "".join(root.itertext())


def test_every_seed_has_its_dot(study, dataset):
    # Per category and loss: one dot for each of four seeds, one marker for the mean.
    root = ET.fromstring(draw("scores", study, dataset))
    dots = [use for use in root.iter(f"{SVG}use") if "opacity: 0.5" in (use.get("style") or "")]
    assert len(dots) == 3 * 3 * 4


def test_hostile_labels_are_text(study, dataset):
    hostile = "</svg><script>$x$"
    dataset = replace(dataset, losses=(replace(dataset.losses[0], label=hostile), *dataset.losses[1:]))
    for svg in (search_figure(dataset, name="a"), curves_figure(dataset, name="b")):
        assert "<script" not in svg
        assert hostile in "".join(ET.fromstring(svg).itertext())


def test_figures_of_a_study_under_way(study, dataset):
    empty = replace(dataset.losses[1], trials=(), trial_runs=(), sources=(), chosen=None, replicates=())
    dataset = replace(dataset, losses=(dataset.losses[0], empty, dataset.losses[2]))
    for kind in KINDS:
        ET.fromstring(draw(kind, study, dataset))


def test_the_mean_curve_stops_when_half_the_runs_have():
    def curve(*values):
        return [{"iteration": 10 * i, "map_at_r": value} for i, value in enumerate(values)]

    found = mean_curve([curve(0.1, 0.2, 0.3), curve(0.3, 0.4), curve(0.2, 0.6)])
    assert found[0] == [0, 10]
    assert found[1] == pytest.approx([0.2, 0.4])
    assert mean_curve([]) == ([], [])


def test_no_two_losses_look_alike():
    labels = [str(i) for i in range(32)]
    assert len({look_of(label, labels) for label in labels}) == 32
