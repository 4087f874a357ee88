"""What was not equal between losses."""

from __future__ import annotations

from dataclasses import replace

from pages import findings_of, markdown_row, texts_of

from realitycheck.report.sections import unequal


def test_batches_and_distances(study, dataset):
    pairs, _, proxies = unequal.find(findings_of(study, [dataset])).treatments
    assert (pairs.label, pairs.classes, pairs.per_class, pairs.distance) == ("contrastive", 8, 4, "euclidean")
    assert (proxies.label, proxies.classes, proxies.per_class, proxies.distance) == ("soft_triple", 32, 1, "cosine")


def test_the_page_has_a_line_per_loss_and_two_columns_per_dataset(study, dataset):
    table = texts_of(study, [dataset])["tables.md"].split("## What was not equal")[1]
    assert markdown_row(table, "soft_triple")[:4] == ["soft_triple", "32 classes × 1 image", "cosine", "3"]
    again = study.datasets[0].model_copy(update={"name": "again"})
    two = study.model_copy(update={"datasets": (*study.datasets, again)})
    table = texts_of(two, [dataset, replace(dataset, dataset="again")])["tables.md"].split("## What was not equal")[1]
    heads = [f"{head}, {name}" for name in ("cub200", "again") for head in ("Hyper-parameters searched", "At a bound")]
    assert f"| {' | '.join(heads)} |" in table
    assert len(markdown_row(table, "circle")) == 7
