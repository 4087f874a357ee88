"""How the report writes numbers and names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from realitycheck.metrics.menu import METRICS, heading, in_order
from realitycheck.statistics.intervals import Interval

METRIC_NAMES = {metric: heading(metric) for metric in METRICS}
"""The scores of every study as the published tables head their columns."""

NOT_IN_JSON = {"json": False}
"""The metadata of a field that `tables.json` leaves out: it holds one number per class and replicate."""

RECONSTRUCTION = "reconstruction"
"""The status of a loss with gaps in its publication."""

FOOTNOTE = (
    "(reconstruction): neither official code nor a full formula of this loss is published. Missing parts were filled "
    "in here, so its scores may differ from those of the authors' own version."
)
"""The note below every table that names a reconstruction."""

DASH = "–"
"""What is printed for a missing number."""

PENDING = "not yet"
"""The verdict of a loss with missing replicates."""

SPELLED = (
    *("No", "One", "Two", "Three", "Four", "Five", "Six"),
    *("Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve"),
)


def searched_by(label: str, number: int, *, searches: int) -> str:
    """Name a search by its loss: `triplet`, or `triplet, search 2` if a loss has several; `number` counts from 0."""
    return label if searches == 1 else f"{label}, search {number + 1}"


def searched_by_several(label: str, numbers: Sequence[int], *, searches: int) -> str:
    """Name searches of one loss, which count from 0: `triplet, searches 1 and 3`; the loss alone if there are none."""
    if len(numbers) < 2 or searches == 1:
        return searched_by(label, numbers[0], searches=searches) if numbers else label
    return f"{label}, searches {enumeration([str(number + 1) for number in numbers])}"


def metric_name(metric: str) -> str:
    """Name a score as the heading of its columns does: `MAP@R`, `R@10`, `NMI`."""
    return heading(metric)


def ordered_metrics(metrics: Iterable[str]) -> list[str]:
    """Scores without repetition, in the order of the columns; the scores of every study always among them."""
    return in_order({*METRICS, *metrics})


def safe_name(name: str) -> str:
    """A name that is harmless in any folder."""
    return re.sub(r"[^a-z0-9_-]+", "-", name.lower()) or "dataset"


def marked(label: str, marks: Sequence[str]) -> str:
    """`label`, or `label (first mark, second mark)`."""
    return f"{label} ({', '.join(marks)})" if marks else label


def points(value: float) -> str:
    """A score in [0, 1] as percent with two decimals."""
    return f"{100 * value:.2f}"


def optional_points(value: float | None) -> str:
    """The same, with a dash for None."""
    return DASH if value is None else points(value)


def signed(value: float) -> str:
    """A difference of scores in percentage points with its sign: a true minus, and no sign on zero."""
    text = f"{100 * value:+.2f}".replace("-", "−")
    return "0.00" if text in ("+0.00", "−0.00") else text


def optional_signed(value: float | None) -> str:
    """The same, with a dash for None."""
    return DASH if value is None else signed(value)


def optional_span(interval: Interval | None) -> str:
    """Both ends of an interval of differences, in percentage points, or a dash for None."""
    return DASH if interval is None else span(interval)


def span(interval: Interval) -> str:
    """Both ends of an interval of differences, in percentage points."""
    return f"{signed(interval.low)} to {signed(interval.high)}"


def percent(level: float) -> str:
    """A level in percent: `95 %`."""
    return f"{100 * level:.6g} %"


def p_value(p: float) -> str:
    """A p-value with three decimals, `< 0.001` below them."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def number(value: float | int | str) -> str:
    """The value of a hyper-parameter, with four significant digits if it is not whole; a true minus before it."""
    if isinstance(value, str):
        return value
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return f"−{text[1:]}" if text.startswith("-") else text


def decimal(value: float) -> str:
    """Two decimals with a true minus, for numbers other than scores."""
    return f"{value:.2f}".replace("-", "−")


def share(value: float) -> str:
    """A level as a decimal, without rounding error of a subtraction: `0.05`."""
    return f"{value:.6g}"


def count(n: int, noun: str, plural: str = "") -> str:
    """`1 trial`, `3 trials`; `plural` for nouns without a plural in s."""
    return f"{n} {noun if n == 1 else plural or f'{noun}s'}"


def spelled(n: int) -> str:
    """A number at the beginning of a sentence: `Five`, and figures from thirteen on."""
    return SPELLED[n] if n < len(SPELLED) else str(n)


def thousands(n: int) -> str:
    """A count with a thousands separator: `17,200`."""
    return f"{n:,}"


def stretch(values: Sequence[int]) -> str:
    """The range of counts: `500`, or `480 to 520` if they differ; a dash if there is none."""
    if not values:
        return DASH
    low, high = min(values), max(values)
    return thousands(low) if low == high else f"{thousands(low)} to {thousands(high)}"


def enumeration(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else list(parts))
