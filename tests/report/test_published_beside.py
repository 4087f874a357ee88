"""A study's scores beside the published ones: as values, on the page and in Markdown."""

from __future__ import annotations

import pytest
from made_records import with_search
from pages import Seen, write

from realitycheck.protocol.model import DatasetChoice
from realitycheck.report.published import tables
from realitycheck.report.published.beside import beside
from realitycheck.report.summary import summarize
from realitycheck.runs import Category


@pytest.fixture(scope="module")
def folder(study, dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    write(study, [dataset], folder)
    return folder


@pytest.fixture
def found(study, dataset):
    return beside(study, "cub200", summarize(study, [dataset]).datasets[0].rows)


def on(study, address, name="cub200"):
    return study.model_copy(update={"datasets": (DatasetChoice(name=name, address=address, root=None),)})


def test_ours_stand_before_the_rest(found):
    complete, ensemble, _ = found.parts
    assert (complete.category, len(complete.columns), len(ensemble.columns)) == (Category.COMPLETE, 1, 2)
    assert [line.label for line in complete.lines if line.row] == ["contrastive"]
    assert [line.label for line in ensemble.lines if line.row] == ["contrastive", "soft_triple"]
    assert [line.row is None for line in ensemble.lines] == [False, False] + [True] * 16


def test_two_papers_share_a_line_where_they_mean_one_loss(found):
    shared = next(line for line in found.parts[1].lines if line.label == "ProxyNCA / ProxyNCA++")
    assert [loss.numbers["map_at_r"].text for loss in shared.published] == ["24.21", "26.82 ± 0.23"]


def test_losses_meet_by_address_and_not_by_label(study, dataset):
    named = study.model_copy(
        update={"losses": (study.losses[0], study.losses[1].model_copy(update={"address": "cosface"}), study.losses[2])}
    )
    lines = beside(named, "cub200", summarize(named, [dataset]).datasets[0].rows).parts[0].lines
    assert [(line.label, line.called) for line in lines if line.row] == [
        ("contrastive", "Contrastive"),
        ("circle", "CosFace"),
    ]


def test_only_categories_of_the_study(study, dataset):
    lone = study.protocol.model_copy(update={"categories": (Category.ENSEMBLE,)})
    lone = study.model_copy(update={"protocol": lone})
    parts = beside(lone, "cub200", summarize(lone, [dataset]).datasets[0].rows).parts
    assert [part.category for part in parts] == [Category.ENSEMBLE]


def test_the_page_shows_them_without_a_verdict(study, dataset, folder):
    text = Seen((folder / "index.html").read_text()).text.split("Published tables")[1]
    for part in (
        "none is tested, and none is a verdict",
        "BN-Inception with ImageNet weights",
        "ResNet-50",
        "8 classes × 4 images for losses of pairs",
        "26.53",
        "23.63 ± 0.24",
        "half-widths not found",
        "read in the paper's text",
        "ProxyNCA of Musgrave et al. (2020): has the true proxy in its denominator",
        "Warped-Softmax",
    ):
        assert part in text
    ours = summarize(study, [dataset]).datasets[0].rows[0].cell(Category.COMPLETE, "map_at_r")
    assert f"{100 * ours.mean:.2f} ± {100 * ours.interval.half_width:.2f} 23.63 ± 0.24" in text
    html = (folder / "index.html").read_text().split("<h3>Published tables")[1].split("<h3>")[0]
    assert not {"better", "worse", "equivalent"} & set(html.replace('"', " ").split())


def test_markdown_says_the_same(folder):
    text = (folder / "published.md").read_text()
    assert "none is a verdict on a loss" in text
    assert "### complete-512" in text
    assert "| – | Warped-Softmax | – | – | 28.47 ± 0.29 |" in text
    assert {line.count("|") for line in text.split("### ensemble-512")[1].split("\n\n")[1].splitlines()} == {12}


def test_other_datasets_have_none(study, dataset, tmp_path):
    write(on(study, "sketches"), [dataset], tmp_path)
    assert not (tmp_path / "published.md").exists()
    page = (tmp_path / "index.html").read_text()
    assert "Published tables" not in page
    assert "published.md" not in page


def test_the_menu_name_counts_and_not_the_name_in_the_study(study):
    assert beside(on(study, "cars196"), "cub200", ()).tables[0].dataset == "cars196"
    assert beside(on(study, "folder"), "cub200", ()) is None


def test_an_unfinished_study_shows_dashes(study, dataset, edit, tmp_path):
    write(study, [edit(dataset, contrastive=lambda loss: with_search(loss, replicates=()))], tmp_path)
    assert "| contrastive (4 pending) | Contrastive | – | 23.63 ± 0.24 |" in (tmp_path / "published.md").read_text()
    page = Seen((tmp_path / "index.html").read_text()).text.split("Published tables")[1]
    assert "contrastive(4 pending)Contrastive" in page


def test_published_names_are_escaped(study, dataset, tmp_path, monkeypatch):
    hostile = "<script>alert(1)</script>\"'&"
    paper = tables._papers()[1]
    losses = {key: each.model_copy(update={"name": hostile, "note": hostile}) for key, each in paper.losses.items()}
    monkeypatch.setattr(tables, "_papers", lambda: (paper.model_copy(update={"losses": losses, "authors": hostile}),))
    write(study, [dataset], tmp_path)
    seen = Seen((tmp_path / "index.html").read_text())
    assert "script" not in seen.tags
    assert seen.open == []
    assert hostile in seen.text
    assert "<script" not in (tmp_path / "published.md").read_text().replace("\\<", "")
