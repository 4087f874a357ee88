"""A study's scores beside published ones: as values, on the page and in Markdown."""

from __future__ import annotations

import json

import numpy as np
import pytest
from made_records import with_search
from pages import Seen, findings_of, found_in, html_section, markdown_section, texts_of
from scipy import stats

from realitycheck.protocol.model import DatasetChoice
from realitycheck.report.papers import published_tables
from realitycheck.report.sections import published
from realitycheck.runs import Category


@pytest.fixture(scope="module")
def texts(study, dataset):
    return texts_of(study, [dataset])


@pytest.fixture
def found(study, dataset):
    return found_in(study, dataset, published.SECTION)


def on(study, address, name="cub200"):
    return study.model_copy(update={"datasets": (DatasetChoice(name=name, address=address, root=None),)})


def test_ours_come_before_the_rest(found):
    complete, ensemble, _ = found.parts
    assert (complete.category, len(complete.columns), len(ensemble.columns)) == (Category.COMPLETE, 1, 2)
    assert [line.label for line in complete.lines if line.row] == ["contrastive"]
    assert [line.label for line in ensemble.lines if line.row] == ["contrastive", "soft_triple"]
    assert [line.row is None for line in ensemble.lines] == [False, False] + [True] * 16


def test_two_papers_share_a_line_for_one_loss(found):
    shared = next(line for line in found.parts[1].lines if line.label == "ProxyNCA / ProxyNCA++")
    assert [loss.numbers["map_at_r"].text for loss in shared.published] == ["24.21", "26.82 ± 0.23"]


def test_losses_are_paired_by_address_and_not_by_label(study, dataset):
    named = study.model_copy(
        update={"losses": (study.losses[0], study.losses[1].model_copy(update={"address": "cosface"}), study.losses[2])}
    )
    lines = found_in(named, dataset, published.SECTION).parts[0].lines
    assert [(line.label, line.called) for line in lines if line.row] == [
        ("contrastive", "Contrastive"),
        ("circle", "CosFace"),
    ]


def test_ours_have_the_interval_over_seeds_that_papers_have(synthetic_study, synthetic_dataset):
    """Of several searches Student's t within them, by hand, and not that of the protocol, which counts searches."""
    study = synthetic_study(labels=("contrastive", "circle", "soft_triple"), seeds=4, trials=6, searches=2)
    dataset = synthetic_dataset(study)
    (found,) = findings_of(study, [dataset]).datasets
    cell = found.row("contrastive").cell(Category.COMPLETE, "map_at_r")
    scores = np.array(cell.values).reshape(2, 2)
    half = stats.t.ppf(0.975, 4 - 2) * np.sqrt(scores.var(axis=1, ddof=1).mean() / 4)
    assert abs(half - cell.interval.half_width) > 1e-4
    section = markdown_section(texts_of(study, [dataset])["tables.md"], "Published tables")
    assert f"{100 * cell.mean:.2f} ± {100 * half:.2f}" in section


def test_only_categories_of_the_study(study, dataset):
    lone = study.protocol.model_copy(update={"categories": (Category.ENSEMBLE,)})
    lone = study.model_copy(update={"protocol": lone})
    assert [part.category for part in found_in(lone, dataset, published.SECTION).parts] == [Category.ENSEMBLE]


def test_the_page_shows_them_without_a_verdict(study, dataset, texts):
    html = html_section(texts["index.html"], "Published tables")
    text = Seen(html).text
    for part in (
        published.UNTESTED,
        "BN-Inception with ImageNet weights",
        "ResNet-50",
        "8 classes × 4 images for losses of pairs",
        "26.53",
        "half-widths not found",
        "read in the paper's text",
        "ProxyNCA of Musgrave et al. (2020): has the true proxy in its denominator",
        "Warped-Softmax",
    ):
        assert part in text
    ours = findings_of(study, [dataset]).datasets[0].rows[0].cell(Category.COMPLETE, "map_at_r")
    row = next(line for line in html.splitlines() if line.startswith('<tr><th scope="row">contrastive<'))
    assert Seen(row).text.startswith(
        f"contrastiveContrastive{100 * ours.mean:.2f} ± {100 * ours.interval.half_width:.2f}23.63 ± 0.24"
    )
    assert not {"badge", "better", "worse", "equivalent"} & set(html.replace('"', " ").split())


def test_markdown_shows_the_same(texts):
    text = markdown_section(texts["tables.md"], "Published tables")
    assert "| Warped-Softmax | – | – | 28.47 ± 0.29 |" in text
    assert "| contrastive / Contrastive |" in text
    table = text.split("ensemble-512 beside published scores.")[1].split("\n\n")[1]
    assert {line.count("|") for line in table.splitlines()} == {11}


def test_json_has_the_published_numbers(texts):
    parts = json.loads(texts["tables.json"])["datasets"][0]["published"]["parts"]
    line = next(line for line in parts[0]["lines"] if line["label"] == "contrastive")
    assert line["published"][0]["numbers"]["map_at_r"] == pytest.approx({"mean": 0.2363, "half_width": 0.0024})


def test_other_datasets_have_none(study, dataset):
    texts = texts_of(on(study, "sketches"), [dataset])
    assert "Published tables" not in texts["index.html"] + texts["tables.md"]
    assert json.loads(texts["tables.json"])["datasets"][0]["published"] is None


def test_the_menu_name_counts_and_not_the_name_in_the_study(study, dataset):
    assert found_in(on(study, "cars196"), dataset, published.SECTION).tables[0].dataset == "cars196"
    assert found_in(on(study, "folder"), dataset, published.SECTION) is None


def test_an_unfinished_study_shows_dashes(study, dataset, edit):
    texts = texts_of(study, [edit(dataset, contrastive=lambda loss: with_search(loss, replicates=()))])
    assert "| contrastive / Contrastive (4 pending) | – | 23.63 ± 0.24 |" in texts["tables.md"]
    assert "contrastive(4 pending)Contrastive" in Seen(html_section(texts["index.html"], "Published tables")).text


def test_published_names_are_escaped(study, dataset, monkeypatch):
    hostile = "<script>alert(1)</script>\"'&"
    paper = published_tables.published_papers()["warped2024"]
    losses = {key: each.model_copy(update={"name": hostile, "note": hostile}) for key, each in paper.losses.items()}
    changed = paper.model_copy(update={"losses": losses, "authors": hostile})
    monkeypatch.setattr(published_tables, "_papers", lambda: {"warped2024": changed})
    texts = texts_of(study, [dataset])
    seen = Seen(texts["index.html"])
    assert len(seen.scripts) == 1
    assert seen.open == []
    assert hostile in seen.text
    assert "<script" not in texts["tables.md"].replace("\\<", "")
