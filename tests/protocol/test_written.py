"""What a study's author wrote, completed."""

from __future__ import annotations

from realitycheck.protocol.read import read_study


def test_a_root_is_told_without_detours(home):
    home.replace(home.study, "root: images/birds", "root: ../images/./birds")
    _, birds = read_study(home.study).study.datasets
    assert birds.root == str(home.folder / "images" / "birds")
