"""Estimators by name, as a protocol's `interval` asks for them."""

from __future__ import annotations

from importlib import import_module

from realitycheck.statistics.base import Estimator
from realitycheck.statistics.menu import MENU
from realitycheck.statistics.near_best import MOST


def estimator(method: str, *, level: float, searches: int, runners_up: int = MOST - 1) -> Estimator:
    """Build the estimator that a protocol names.

    Args:
        method: a name on the menu.
        level: coverage of the intervals, in (0.5, 1).
        searches: searches per loss.
        runners_up: runners-up of a search that are scored, at most; no estimate depends on it, only the design.

    Raises:
        ValueError: if the method is unknown, the level is out of range, or the searches are too few or too many for it.
    """
    if method not in MENU:
        raise ValueError(f"unknown interval method '{method}'. Known: {', '.join(MENU)}.")
    if not 0.5 < level < 1:
        raise ValueError(f"level {level} is out of range: must be between 0.5 and 1.")
    entry = MENU[method]
    if searches < entry.least_searches:
        needs = f"{method} needs {entry.least_searches} or more. Raise `search.searches`."
        raise ValueError(f"searches {searches} is out of range: {needs}")
    if entry.most_searches is not None and searches > entry.most_searches:
        needs = f"{method} takes {entry.most_searches}. Lower `search.searches`."
        raise ValueError(f"searches {searches} is out of range: {needs}")
    module, name = entry.address.split(":")
    member: type[Estimator] = getattr(import_module(module), name)
    return member(level=level, searches=searches, runners_up=runners_up)


def agreeing(own: Estimator) -> Estimator | None:
    """Return the estimator that must give a verdict as well, so that it counts; None where none must."""
    if not own.needs_agreement or own.beside is None:
        return None
    return estimator(own.beside, level=own.level, searches=own.searches, runners_up=own.runners_up)
