"""How the report writes numbers and names."""

from __future__ import annotations

from collections.abc import Sequence

from realitycheck.runs import NMI, RECALL, Category
from realitycheck.statistics.intervals import Interval

METRIC_NAMES = {"map_at_r": "MAP@R", "r_precision": "RP", "precision_at_1": "P@1"}
"""The scores of every study as the published tables head their columns."""

SPELLED = (
    *("No", "One", "Two", "Three", "Four", "Five", "Six"),
    *("Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve"),
)


def searched_by(label: str, number: int, *, searches: int) -> str:
    """A search by its loss: `triplet`, or `triplet, search 2` where a loss has several; `number` counts from 0."""
    return label if searches == 1 else f"{label}, search {number + 1}"


def metric_name(metric: str) -> str:
    """A score as a column's head, those that only some protocols ask for among them: `R@10`, `NMI`."""
    if metric == NMI:
        return "NMI"
    return METRIC_NAMES[metric] if metric in METRIC_NAMES else f"R@{metric.removeprefix(RECALL)}"


def points(value: float) -> str:
    """A score in [0, 1] as percent points with two decimals."""
    return f"{100 * value:.2f}"


def signed(value: float) -> str:
    """A difference of scores as percent points with its sign; a true minus, and no sign on zero."""
    text = f"{100 * value:+.2f}".replace("-", "−")
    return "0.00" if text in ("+0.00", "−0.00") else text


def span(interval: Interval) -> str:
    """Both ends of an interval of differences, in percent points."""
    return f"{signed(interval.low)} to {signed(interval.high)}"


def percent(level: float) -> str:
    """A level as a person says it: `95 %`."""
    return f"{100 * level:.6g} %"


def p_value(p: float) -> str:
    """A p-value with three decimals, `< 0.001` below them."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def number(value: float | int | str) -> str:
    """A knob's value, with four significant digits if it is not whole."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def decimal(value: float) -> str:
    """Two decimals with a true minus, for numbers that are no scores."""
    return f"{value:.2f}".replace("-", "−")


def share(value: float) -> str:
    """A level as a decimal, freed of the dust of subtraction: `0.05`."""
    return f"{value:.6g}"


def count(n: int, noun: str, plural: str = "") -> str:
    """`1 trial`, `3 trials`; `plural` for nouns that do not take an s."""
    return f"{n} {noun if n == 1 else plural or f'{noun}s'}"


def spelled(n: int) -> str:
    """A number that begins a sentence: `Five`, and figures from thirteen on."""
    return SPELLED[n] if n < len(SPELLED) else str(n)


def thousands(n: int) -> str:
    """A count with its thousands apart: `17,200`."""
    return f"{n:,}"


def stretch(values: Sequence[int]) -> str:
    """The values of a count: `500`, or `480 to 520` where they differ; a dash where there is none."""
    if not values:
        return "–"
    low, high = min(values), max(values)
    return thousands(low) if low == high else f"{thousands(low)} to {thousands(high)}"


def enumeration(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else list(parts))


def title(category: Category, *, dims: int, folds: int, metric: str) -> str:
    """A column's name: `aggregate-128 MAP@R`."""
    return f"{category.label(dims=dims, folds=folds)} {metric_name(metric)}"
