"""Values of a protocol that must fit each other."""

from __future__ import annotations

import pytest

from realitycheck.errors import InputError
from realitycheck.protocol.parse import read_protocol


def trials(home, *, sampler: str, startup: int, round_size: int) -> list[str]:
    """What is wrong with a search of six trials."""
    home.replace(home.protocol, "sampler: gp", f"sampler: {sampler}")
    home.replace(home.protocol, "startup_trials: 3", f"startup_trials: {startup}")
    home.replace(home.protocol, "round: 2", f"round: {round_size}")
    try:
        read_protocol(home.protocol)
    except InputError as error:
        return [f"{each.line} {each.where}: {each.says}" for each in error.problems]
    return []


def test_a_round_larger_than_the_random_start_is_refused(home):
    """Its slots beyond the start would be proposed by a model that has seen nothing."""
    (told,) = trials(home, sampler="gp", startup=3, round_size=4)
    assert told.startswith("36 search.startup_trials: must be at least search.round, 4,")
    assert told.endswith("got 3. Raise it, or lower the round.")


@pytest.mark.parametrize(("sampler", "startup", "round_size"), [("gp", 4, 4), ("gp", 6, 1), ("random", 1, 6)])
def test_rounds_that_fit(home, sampler, startup, round_size):
    assert trials(home, sampler=sampler, startup=startup, round_size=round_size) == []


def test_a_round_larger_than_the_search_is_told_once(home):
    (told,) = trials(home, sampler="gp", startup=3, round_size=7)
    assert "search.round: must not exceed search.trials, 6; got 7" in told
