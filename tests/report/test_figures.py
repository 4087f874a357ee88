import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from types import SimpleNamespace

import pytest
from made_records import UNSEARCHED, with_search
from matplotlib.figure import Figure
from pages import findings_of

from realitycheck.report.drawing import COLOURS, align, grid, line_of, style_of
from realitycheck.report.forest import by_search
from realitycheck.report.menu import SECTIONS
from realitycheck.report.parts import figures_of, make_parts
from realitycheck.report.sections.trial_figure import _number_lines, _paint_range, trial_ticks
from realitycheck.report.writers.figure_theme import DARK

SVG = "{http://www.w3.org/2000/svg}"


KINDS = ["scores", "differences", "noise", "search", "curves"]


def figures(study, dataset):
    """The figures of a dataset by kind."""
    parts = make_parts(findings_of(study.model_copy(update={"same": ("contrastive", "circle")}), [dataset]), SECTIONS)
    return {figure.name.partition("-")[0]: figure for figure in figures_of(parts)}


def draw(kind, study, dataset):
    return figures(study, dataset)[kind].svg


@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_is_whole_named_and_the_same_every_time(kind, study, dataset):
    svg = draw(kind, study, dataset)
    assert svg == draw(kind, study, dataset)
    root = ET.fromstring(svg)
    assert root.get("role") == "img"
    assert root.get("aria-label") == root.find(f"{SVG}title").text
    ids = [each.get("id") for each in root.iter() if each.get("id")]
    assert len(ids) == len(set(ids))
    assert all(each.startswith(f"{kind}-cub200-") for each in ids)
    assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', svg)) <= {(i, "") for i in ids} | {("", i) for i in ids}
    assert "date" not in svg
    assert "circle" in "".join(root.itertext())


def test_every_seed_has_its_dot(study, dataset):
    # Per category and loss: one dot for each of four seeds.
    root = ET.fromstring(draw("scores", study, dataset))
    dots = [use for use in root.iter(f"{SVG}use") if "opacity: 0.6" in (use.get("style") or "")]
    assert len(dots) == 3 * 3 * 4


def test_untrained_models_far_from_the_losses_are_arrows(study, dataset):
    # Losses score above 30 %, untrained models below 10 %.
    for kind, panels in (("scores", 3), ("differences", 1)):
        words = [each.text or "" for each in ET.fromstring(draw(kind, study, dataset)).iter(f"{SVG}text")]
        assert sum(word.startswith("← ") for word in words) == 2 * panels


def test_untrained_models_near_the_losses_have_a_row(study, dataset):
    row = dataset.losses[1]
    near = replace(dataset, untrained=(replace(row, label="untrained embedder"),))
    root = ET.fromstring(draw("scores", study, near))
    dots = [use for use in root.iter(f"{SVG}use") if "opacity: 0.6" in (use.get("style") or "")]
    assert len(dots) == 3 * 4 * 4
    assert "untrained embedder" in "".join(root.itertext())


def test_each_search_has_dots_of_its_own():
    assert by_search([1, 2, 3, 4, 5, 6], 2) == [[1, 2, 3], [4, 5, 6]]
    assert by_search([1], 3) == [[1]]


def test_an_interval_is_drawn_over_its_mean(study, dataset):
    strokes = [path.get("style") or "" for path in ET.fromstring(draw("scores", study, dataset)).iter(f"{SVG}path")]
    bars = [place for place, style in enumerate(strokes) if "stroke-width: 4.2" in style]
    ticks = [place for place, style in enumerate(strokes) if "#222222" in style and "stroke-width: 0.8" in style]
    assert len(bars) == len(ticks) == 3 * 3
    panels = zip([bars[i : i + 3] for i in (0, 3, 6)], [ticks[i : i + 3] for i in (0, 3, 6)], strict=True)
    assert all(max(tick) < min(bar) for bar, tick in panels)


def test_hostile_labels_are_text(study, dataset):
    hostile = "</svg><script>$x$"
    choices = (study.losses[0], study.losses[1].model_copy(update={"label": hostile}), study.losses[2])
    losses = (dataset.losses[0], replace(dataset.losses[1], label=hostile), dataset.losses[2])
    named = study.model_copy(update={"losses": choices})
    for figure in figures(named, replace(dataset, losses=losses)).values():
        assert "<script" not in figure.svg
        assert hostile in "".join(ET.fromstring(figure.svg).itertext())


def test_figures_of_a_study_under_way(study, dataset):
    empty = with_search(dataset.losses[1], **UNSEARCHED)
    dataset = replace(dataset, losses=(dataset.losses[0], empty, dataset.losses[2]))
    for kind in ("scores", "differences", "search", "curves"):
        ET.fromstring(draw(kind, study, dataset))


def test_no_two_losses_have_one_style():
    labels = [str(i) for i in range(32)]
    assert len({style_of(label, labels) for label in labels}) == 32
    lines = [line_of(label, labels) for label in labels]
    assert len({(line["color"], line["ls"]) for line in lines}) == 32  # also without the markers


def test_trials_are_counted_from_one(study, dataset):
    assert trial_ticks(25) == [1, 5, 10, 15, 20, 25]
    assert trial_ticks(6) == [1, 2, 3, 4, 5, 6]
    assert trial_ticks(50) == [1, 10, 20, 30, 40, 50]
    assert trial_ticks(1) == [1]
    words = "".join(ET.fromstring(draw("search", study, dataset)).itertext()).split()
    assert "1" in words
    assert "0" not in words[words.index("trial") - 20 :]


def test_a_published_setting_is_in_the_legend_where_there_is_one(study, dataset):
    trials = dataset.losses[0].trials
    first = with_search(dataset.losses[0], trials=(replace(trials[0], source="published"), *trials[1:]))
    with_it = draw("search", study, replace(dataset, losses=(first, *dataset.losses[1:])))
    assert "published setting" in with_it
    assert "published setting" not in draw("search", study, dataset)


def test_curves_mark_where_the_follow_up_begins(study, dataset):
    def followed(run):
        late = (replace(point, phase="followup" if point.iteration > 100 else "normal") for point in run.curve)
        return replace(run, curve=tuple(late))

    loss = dataset.losses[0]
    replicates = tuple(replace(each, fold_runs=tuple(map(followed, each.fold_runs))) for each in loss.replicates)
    late = replace(dataset, losses=(with_search(loss, replicates=replicates), *dataset.losses[1:]))
    svg = draw("curves", study, late)
    assert "its follow-up begins" in svg
    assert "its follow-up begins" not in draw("curves", study, dataset)


def test_a_reconstruction_is_named_so(study, dataset, monkeypatch):
    monkeypatch.setattr(
        "realitycheck.losses.menu.entry", {"circle": SimpleNamespace(status="reconstruction", reference="")}.get
    )
    for figure in figures(study, dataset).values():
        assert "circle (reconstruction)" in "".join(ET.fromstring(figure.svg).itertext())


def test_every_search_has_its_line(synthetic):
    two = synthetic.make_study(labels=("contrastive", "circle"), seeds=4, trials=6, searches=2)
    once = synthetic.make_study(labels=("contrastive", "circle"), seeds=4, trials=6)

    def lines(study):
        strokes = ET.fromstring(draw("search", study, synthetic.make_dataset(study))).iter(f"{SVG}path")
        return sum("stroke-width: 1.8" in (path.get("style") or "") for path in strokes)

    assert lines(two) - lines(once) == 2


def test_every_colour_of_a_figure_has_one_on_a_dark_page(study, dataset):
    used = set()
    for figure in figures(study, dataset).values():
        used |= set(re.findall(r"#[0-9a-f]{6}\b", figure.svg))
    assert used <= set(DARK)
    assert {colour.lower() for colour in COLOURS} <= set(DARK)


def brightness(colour):
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colour", ["#222222", "#4d4d4d", "#5a6068", "#8a9099", "#b00020", *map(str.lower, COLOURS)])
def test_marks_are_legible_on_a_dark_page(colour):
    assert (brightness(DARK[colour]) + 0.05) / (brightness(DARK["#ffffff"]) + 0.05) >= 3


def test_the_inner_panels_of_a_grid_have_lines_at_the_ticks_of_the_outer_ones():
    """Four panels in two columns, the last row with one: labels at the left, and below where no panel follows."""
    canvas = Figure(figsize=(6, 6))
    panels = grid(canvas, 3, columns=2, legend=0.0)
    for place, panel in enumerate(panels):
        panel.plot([0, 10 * place], [0, place])
    align(panels, columns=2, marks=[-5, 5, 10, 100])
    assert {panel.get_xlim() for panel in panels} == {(-1.0, 21.0)}, "5 % beyond 0 to 20"
    assert {panel.get_ylim() for panel in panels} == {(-0.1, 2.1)}
    assert [list(panel.get_xticks()) for panel in panels] == [[], [5, 10], [5, 10]]
    assert [len(panel.get_yticks()) > 0 for panel in panels] == [True, False, True]
    for panel in panels:
        (lines,) = panel.collections
        ends = [segment.tolist() for segment in lines.get_segments()]
        assert ends[:2] == [[[5, -0.1], [5, 2.1]], [[10, -0.1], [10, 2.1]]]
        assert ends[2:] == [[[-1, y], [21, y]] for y in panels[0].get_yticks()]


def test_the_range_of_other_searches_is_that_of_their_best_values_so_far():
    """By hand: 1, 3, 3, 3 and from trial 2 on 2, 2, 5. Trial 1 of the second search has no value, trial 2 neither."""
    canvas = Figure()
    panel = canvas.subplots()
    _paint_range(panel, [([1.0, 2.0], [1.0, 3.0]), ([2.0, 4.0], [2.0, 5.0])], 4)
    (band,) = panel.collections
    corners = {tuple(point) for path in band.get_paths() for point in path.vertices.tolist()}
    assert {(1.0, 1.0), (2.0, 3.0), (2.0, 2.0), (4.0, 5.0), (4.0, 3.0)} <= corners
    assert max(y for _, y in corners) == 5 and min(y for _, y in corners) == 1
    _paint_range(canvas.subplots(), [], 4)


def test_one_loss_alone_has_no_others_in_the_legend(study, dataset):
    assert "of the other losses" in draw("search", study, dataset)
    assert "of the other losses" not in draw("search", study, replace(dataset, losses=dataset.losses[:1]))


def test_the_numbers_of_lines_that_end_side_by_side_do_not_overlap():
    canvas = Figure()
    panel = canvas.subplots()
    panel.set(xlim=(0, 9), ylim=(20, 60))
    _number_lines(panel, [([1.0, 8.0], [40.0, 50.34]), ([1.0, 8.0], [37.0, 51.02]), ([], [])], ["1", "2", "3"], "k")
    one, two = (text.get_window_extent() for text in panel.texts)
    assert [text.get_text() for text in panel.texts] == ["1", "2"]
    assert one.y1 <= two.y0 and one.y0 < two.y1
