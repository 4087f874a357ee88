from __future__ import annotations

from realitycheck.losses.menu import MENU
from realitycheck.losses.papers import PAPERS


def test_each_paper_of_the_menu_has_a_title_and_no_other_is_listed():
    assert {reference for entry in MENU.values() for reference in entry.reference.split("; ")} == set(PAPERS)
    assert len({title for title, _ in PAPERS.values()}) == len(PAPERS)
