"""The near-best settings of every search, with their test scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from realitycheck.records.evidence import LossEvidence, NearBest, SearchEvidence
from realitycheck.report.blocks import Block, Column, Content, Heading, Marked, Table, rows_of
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.sections.base import Section
from realitycheck.report.wording import metric_name, optional_points, searched_by
from realitycheck.runs import Category


@dataclass(frozen=True, slots=True)
class NearBestSetting:
    """One near-best setting of a search.

    Args:
        label: the loss.
        search: which of its searches, from 0.
        slot: the trial that tried the setting, from 0.
        chosen: whether the search chose it.
        value: its validation MAP@R, in [0, 1].
        scores: its test score in the primary metric by category, in [0, 1]; None where it is missing or diverged.
    """

    label: str
    search: int
    slot: int
    chosen: bool
    value: float | None
    scores: dict[Category, float | None]


def find(dataset: DatasetFindings) -> tuple[NearBestSetting, ...] | None:
    """The settings of all searches, search by search; None where there are none."""
    settings = tuple(
        _setting(dataset, loss, search, near)
        for loss in dataset.evidence.losses
        for search in loss.searches
        for near in search.near_best
    )
    return settings or None


def _setting(dataset: DatasetFindings, loss: LossEvidence, search: SearchEvidence, near: NearBest) -> NearBestSetting:
    metric = dataset.study.metric
    scores = {
        category: loss.score(near.models, category=category, metric=metric) for category in dataset.protocol.categories
    }
    chosen = near.trial == search.chosen
    return NearBestSetting(loss.label, search.number, near.trial.slot, chosen, near.trial.value, scores)


def blocks(dataset: DatasetFindings, facts: tuple[NearBestSetting, ...]) -> Iterator[Block]:
    """Print one row per setting."""
    yield Heading(3, "Near-best settings")
    heads = ("Validation MAP@R", *dataset.study.categories.values())
    columns = (Column("Search"), Column("Trial", number=True), *(Column(head, number=True) for head in heads))
    yield Table(
        columns,
        rows_of([_line(dataset, setting) for setting in facts]),
        caption=f"Test {metric_name(dataset.study.metric)} of settings that validation cannot distinguish from the "
        "chosen one, in percent. Fold models are those of the trial. A runner-up has one complete model; that of "
        "a chosen setting is its first replicate's.",
    )


def _line(dataset: DatasetFindings, setting: NearBestSetting) -> tuple[Content, ...]:
    name = searched_by(setting.label, setting.search, searches=dataset.study.searches)
    marks = (*dataset.study.loss_marks(setting.label), *(["chosen"] if setting.chosen else []))
    scores = (optional_points(score) for score in setting.scores.values())
    return (Marked(name, marks), str(setting.slot + 1), optional_points(setting.value), *scores)


SECTION = Section(
    name="near_best",
    subject=DatasetFindings,
    find=find,
    blocks=blocks,
)
