"""Every docstring of a loss is whole, its formula can be drawn, and the page in `docs/` is the one that they make."""

from pathlib import Path

import pytest
from matplotlib.mathtext import MathTextParser

from realitycheck import verbs
from realitycheck.losses.build import OFFERED
from realitycheck.losses.cards import cards

CARDS = {card.name: card for card in cards()}
PAGE = Path(__file__).parents[2] / "docs" / "losses.md"


@pytest.mark.parametrize("name", CARDS)
def test_the_formula_can_be_drawn(name):
    width, *_ = MathTextParser("path").parse(f"${CARDS[name].formula}$")
    assert width > 0


@pytest.mark.parametrize("name", CARDS)
def test_every_knob_is_explained_and_nothing_else(name):
    card = CARDS[name]
    assert set(card.arguments) - {*OFFERED, "base"} == set(card.knobs) - {"base"}
    assert card.summary.endswith(".") and card.text


def test_the_page_is_what_the_docstrings_say():
    assert PAGE.read_text(encoding="utf-8") == verbs.losses_markdown(), (
        "write it anew: realitycheck catalog losses --markdown > docs/losses.md"
    )
