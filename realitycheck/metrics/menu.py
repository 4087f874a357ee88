"""The menu of metrics: every score that a record can hold, readable without torch."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

_HERE = "realitycheck.metrics"


@dataclass(frozen=True, slots=True)
class MetricEntry:
    """What is known of one score.

    Args:
        key: name in records. `{k}` in the last word is a number of neighbours.
        heading: of its columns, with the same `{k}`.
        sentence: what it is, for the glossary of a report.
        function: `module:function`, called with embeddings (N, D), labels (N,) and `distance`. It returns the score in
            [0, 1]; with `{k}` it also takes `ks` and returns the score of each k; where scores are always measured, it
            returns all that it computes together, by key.
        option: the key under `scores` by which a protocol asks for it; "" where it is always measured.
        least_k: the smallest k that a protocol may ask for; 0 without `{k}`.
        higher_is_better: whether the best loss has the highest value.
        may_be_primary: whether verdicts may be given in it; then it must always be measured.
    """

    key: str
    heading: str
    sentence: str
    function: str
    option: str
    least_k: int
    higher_is_better: bool
    may_be_primary: bool

    @property
    def term(self) -> str:
        """The heading of any k, for the glossary: `R@k`."""
        return self.heading.format(k="k")

    def load(self) -> Callable[..., Any]:
        """Import the function."""
        module, _, name = self.function.partition(":")
        function: Callable[..., Any] = getattr(import_module(module), name)
        return function

    def keys(self, wanted: object) -> tuple[str, ...]:
        """The names in records of what a protocol asks for under `option`: one per k, or one or none."""
        if not wanted:
            return ()
        return tuple(self.key.format(k=k) for k in wanted) if isinstance(wanted, list | tuple) else (self.key,)


MENU: tuple[MetricEntry, ...] = (
    MetricEntry(
        key="map_at_r",
        heading="MAP@R",
        sentence="mean average precision at R, where R is the number of other images of the query's class: the sum of "
        "the precision at every hit among the R nearest images, divided by R.",
        function=f"{_HERE}.retrieval:retrieval_scores",
        option="",
        least_k=0,
        higher_is_better=True,
        may_be_primary=True,
    ),
    MetricEntry(
        key="r_precision",
        heading="RP",
        sentence="R-precision: the share of images of the query's class among its R nearest images.",
        function=f"{_HERE}.retrieval:retrieval_scores",
        option="",
        least_k=0,
        higher_is_better=True,
        may_be_primary=True,
    ),
    MetricEntry(
        key="precision_at_1",
        heading="P@1",
        sentence="precision at 1: the share of queries whose nearest image is of their class.",
        function=f"{_HERE}.retrieval:retrieval_scores",
        option="",
        least_k=0,
        higher_is_better=True,
        may_be_primary=True,
    ),
    MetricEntry(
        key="recall_at_{k}",
        heading="R@{k}",
        sentence="recall at k: the share of queries with an image of their class among their k nearest images.",
        function=f"{_HERE}.recall:recall_at_k",
        option="recall_at",
        least_k=1,
        higher_is_better=True,
        may_be_primary=False,
    ),
    MetricEntry(
        key="precision_at_{k}",
        heading="P@{k}",
        sentence="precision at k: the share of images of the query's class among its k nearest images.",
        function=f"{_HERE}.precision:precision_at_k",
        option="precision_at",
        least_k=2,
        higher_is_better=True,
        may_be_primary=False,
    ),
    MetricEntry(
        key="ndcg_at_r",
        heading="nDCG@R",
        sentence="normalised discounted cumulative gain: each hit among the R nearest images counts with 1 / log2 of "
        "its rank plus one, and their sum is divided by that of R hits.",
        function=f"{_HERE}.ndcg:ndcg_at_r",
        option="ndcg_at_r",
        least_k=0,
        higher_is_better=True,
        may_be_primary=False,
    ),
    MetricEntry(
        key="nmi",
        heading="NMI",
        sentence="normalised mutual information, with the arithmetic mean, between the classes of all images of the "
        "test half and as many clusters by k-means (faiss, one start, the same for every model); no mean over queries.",
        function=f"{_HERE}.clustering:nmi",
        option="nmi",
        least_k=0,
        higher_is_better=True,
        may_be_primary=False,
    ),
)
"""In the order of the columns."""

METRICS = tuple(entry.key for entry in MENU if not entry.option)
"""The scores of every record, in the order of the columns."""

PRIMARY = tuple(entry.key for entry in MENU if entry.may_be_primary)
"""The scores in which verdicts may be given."""

ASKED: Mapping[str, MetricEntry] = {entry.option: entry for entry in MENU if entry.option}
"""Key under `scores` of a protocol → the entry of what it asks for."""

_BY_KEY = {entry.key: entry for entry in MENU}


def metric_entry(metric: str) -> tuple[MetricEntry, int]:
    """The entry of a score by its name in records, and its k, or 0 without one.

    Raises:
        KeyError: no entry has that name.
    """
    if metric in _BY_KEY:
        return _BY_KEY[metric], 0
    match = re.fullmatch("(.*_)([0-9]+)", metric)
    if match is None:
        raise KeyError(metric)
    return _BY_KEY[match[1] + "{k}"], int(match[2])


def heading(metric: str) -> str:
    """The heading of a score's columns: `MAP@R`, `R@10`."""
    entry, k = metric_entry(metric)
    return entry.heading.format(k=k)


def in_order(metrics: Iterable[str]) -> list[str]:
    """Names in records in the order of the columns: that of the menu, then of k."""

    def place(metric: str) -> tuple[int, int]:
        entry, k = metric_entry(metric)
        return MENU.index(entry), k

    return sorted(metrics, key=place)
