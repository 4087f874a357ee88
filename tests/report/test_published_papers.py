"""The published tables that ship, against numbers typed by hand from the sources that they name."""

from __future__ import annotations

import pytest

from realitycheck.errors import InputError
from realitycheck.losses.menu import MENU
from realitycheck.metrics.menu import METRICS
from realitycheck.report.papers.paper_files import read_paper
from realitycheck.report.papers.paper_listing import HEAD, listings
from realitycheck.report.papers.published_tables import FOLDER, published_datasets, published_tables
from realitycheck.runs import Category

MUSGRAVE, DEMOOR = 0, 1
BY_HAND = [
    # CUB200, concatenated, 512 dims: the README of iccv-sources/iccv-SDM, row by row MAP@R, RP, P@1.
    ("cub200", MUSGRAVE, "ensemble", "Contrastive", ((26.53, None), (37.24, None), (68.13, None))),
    ("cub200", MUSGRAVE, "ensemble", "Pretrained", ((14.21, None), (24.85, None), (51.05, None))),
    ("cub200", MUSGRAVE, "aggregate", "SoftTriple", ((21.31, None), (32.12, None), (59.94, None))),
    ("cars196", MUSGRAVE, "ensemble", "MS", ((28.07, None), (38.09, None), (85.14, None))),
    ("cars196", MUSGRAVE, "aggregate", "CosFace", ((18.80, None), (29.01, None), (74.67, None))),
    # The authors' chart has MAP@R alone.
    ("sop", MUSGRAVE, "ensemble", "ArcFace", ((47.42, None), (None, None), (None, None))),
    # DeMoor and Prevost (2024), Appendix D: tables VI, VII and VIII.
    ("cub200", DEMOOR, "complete", "Contrastive", ((23.63, 0.24), (34.77, 0.23), (63.00, 0.63))),
    ("cub200", DEMOOR, "ensemble", "Warped-Softmax", ((28.47, 0.29), (39.35, 0.26), (69.63, 0.38))),
    ("cars196", DEMOOR, "complete", "Multi-Similarity", ((15.01, 0.35), (24.53, 0.40), (61.39, 0.55))),
    ("cars196", DEMOOR, "aggregate", "HIST", ((22.28, 0.23), (32.56, 0.22), (78.48, 0.27))),
    ("sop", DEMOOR, "complete", "Proxy-Anchor", ((33.02, 9.07), (35.61, 10.48), (58.75, 16.08))),
    ("sop", DEMOOR, "aggregate", "ProxyNCA++", ((43.34, 0.13), (46.42, 0.13), (72.52, 0.10))),
]


def every_block():
    tables = [table for dataset in published_datasets() for table in published_tables(dataset)]
    return [(table, block) for table in tables for block in table.blocks]


def line(dataset, paper, category, name):
    block = published_tables(dataset)[paper].block(Category(category))
    return next(each for each in block.losses if each.name == name)


@pytest.mark.parametrize(("dataset", "paper", "category", "name", "expected"), BY_HAND)
def test_numbers_typed_by_hand(dataset, paper, category, name, expected):
    found = line(dataset, paper, category, name).numbers
    for metric, (mean, half) in zip(METRICS, expected, strict=True):
        assert found[metric].mean == (None if mean is None else pytest.approx(mean / 100))
        assert found[metric].half_width == (None if half is None else pytest.approx(half / 100))


def test_which_papers_and_categories():
    assert published_datasets() == ("cub200", "cars196", "sop")
    for dataset in published_datasets():
        first, second = published_tables(dataset)
        assert (first.short, second.short) == ("Musgrave et al. (2020)", "DeMoor and Prevost (2024)")
        assert [block.category for block in second.blocks] == ["complete", "ensemble", "aggregate"]
    firsts = [published_tables(name)[MUSGRAVE].blocks for name in published_datasets()]
    assert [[(block.category, len(block.losses)) for block in blocks] for blocks in firsts] == [
        [("ensemble", 15), ("aggregate", 15)],
        [("ensemble", 15), ("aggregate", 15)],
        [("ensemble", 14)],
    ]
    assert [len(published_tables(name)[DEMOOR].blocks[0].losses) for name in published_datasets()] == [7, 7, 6]


def test_every_loss_is_on_the_menu_or_said_not_to_be():
    for _, block in every_block():
        for loss in block.losses:
            assert loss.ours in MENU or (loss.ours is None and loss.note), loss.name


def test_every_block_says_how_far_to_trust_it():
    for table, block in every_block():
        assert block.trust
        assert block.n == 10
        assert block.dims == (128 if block.category is Category.AGGREGATE else 512)
        widths = [each.half_width for loss in block.losses for each in loss.numbers.values()]
        assert (set(widths) == {None}) == (table.year == 2020)


def test_what_was_not_read_is_a_dash():
    found = line("sop", MUSGRAVE, "ensemble", "Contrastive").numbers
    assert [found[metric].text for metric in METRICS] == ["44.41", "–", "–"]


def test_losses_are_paired_by_what_they_compute():
    ours = {loss.name: loss.ours for loss in published_tables("sop")[MUSGRAVE].blocks[0].losses}
    # pytorch-metric-learning's ProxyNCA keeps the true proxy in its denominator; its SNR normalises the embeddings.
    assert (ours["ProxyNCA"], ours["SNR"], ours["MS + Miner"]) == (
        "proxy_nca_pp",
        "snr_contrastive_normalized",
        "multi_similarity_mined",
    )


def test_nothing_is_published_on_other_datasets():
    assert published_tables("sketches") == ()
    with pytest.raises(InputError, match="cub200") as error:
        listings("cub20")
    assert [problem.code for problem in error.value.problems] == ["dataset-unpublished"]


def test_a_listing_is_plain_text():
    found = listings("cub200")
    assert [each.title for each in found[:3:2]] == [
        "Musgrave et al. (2020) on cub200: ensemble, 512 dimensions, 10 runs",
        "DeMoor and Prevost (2024) on cub200: complete, 512 dimensions, 10 runs",
    ]
    assert found[2].rows[0] == ("Contrastive", "contrastive", "23.63 ± 0.24", "34.77 ± 0.23", "63.00 ± 0.63")
    assert {len(row) for each in found for row in each.rows} == {len(HEAD)}
    assert dict(found[0].details)["Trunk"].startswith("BN-Inception")
    assert any(note.startswith("ProxyNCA: ") for note in found[0].notes)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("ours: cosface", "ours: cosfase", r"line \d+  losses.cosface.ours: "),
        ("ours: cosface", "ours: arcface", r"line \d+  losses.arcface.ours: "),
        ("          hist: {", "          histt: {", r"line \d+  .*blocks.complete.scores.histt: "),
        ("[23.63, 0.24]", "[23.63]", r"line \d+  .*map_at_r"),
        ("        trust: read", "        source: read", r"line \d+  .*trust: "),
    ],
)
def test_problems_of_a_file_have_their_line(tmp_path, old, new, place):
    text = (FOLDER / "warped2024.yaml").read_text()
    assert old in text
    path = tmp_path / "paper.yaml"
    path.write_text(text.replace(old, new))
    with pytest.raises(InputError, match=place):
        read_paper(path)
