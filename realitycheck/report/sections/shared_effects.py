"""What all losses had in common in each search: its folds and seeds move the means of all of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from realitycheck.report.blocks import Block, Paragraph
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.sections.base import Section
from realitycheck.report.wording import count, enumeration, points
from realitycheck.statistics.search_means import between_searches


@dataclass(frozen=True, slots=True)
class SharedEffects:
    """The means of each search over all losses that have all their scores, in the primary column.

    Args:
        losses: their number.
        means: one per search, in [0, 1].
        sd: standard deviation of these means.
        by_chance: about what it would be if the searches of one number had nothing in common.
        sentence: the result in sentences.
    """

    losses: int
    means: tuple[float, ...]
    sd: float
    by_chance: float
    sentence: str


def find(dataset: DatasetFindings) -> SharedEffects | None:
    """Only where several losses have several searches."""
    study = dataset.study
    cells = [row.cell(study.category, study.metric) for row in dataset.rows]
    rows = [[mean for mean in cell.search_means if mean is not None] for cell in cells if cell.n == len(cell.values)]
    between = between_searches(np.array(rows)) if len(rows) > 1 and study.searches > 1 else None
    if between is None:
        return None
    means = np.array(rows).mean(axis=0)
    sd, by_chance = float(means.std(ddof=1)), math.sqrt(between.own / between.losses)
    said = _sentence(dataset, tuple(map(float, means)), losses=len(rows), sd=sd, by_chance=by_chance)
    return SharedEffects(len(rows), tuple(map(float, means)), sd, by_chance, said)


def blocks(dataset: DatasetFindings, facts: SharedEffects) -> Iterator[Block]:
    """Print the sentences, below the table of all searches."""
    yield Paragraph(facts.sentence)


def _sentence(dataset: DatasetFindings, means: tuple[float, ...], *, losses: int, sd: float, by_chance: float) -> str:
    study = dataset.study
    common = "folds and seeds" if dataset.protocol.folds.kind == "shuffled" else "seeds"
    numbers = enumeration([str(place + 1) for place in range(len(means))])
    return " ".join(
        [
            f"Searches {numbers} have a mean {study.primary} of {enumeration([points(mean) for mean in means])} over "
            f"{count(losses, 'loss', 'losses')}: a standard deviation of {points(sd)} points, and about "
            f"{points(by_chance)} if the searches of one number had nothing in common. All losses share the {common} "
            "of a search.",
            *filter(None, [study.estimator.of_shared(losses=len(study.losses))]),
        ]
    )


SECTION = Section(
    name="shared_effects",
    subject=DatasetFindings,
    find=find,
    blocks=blocks,
)
