"""Warnings about the ranking: chosen values that predict it, and validation scores that do not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from realitycheck.protocol.space import Bounds, place_in
from realitycheck.records.evidence import LossEvidence
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.warning_records import About, StudyWarning
from realitycheck.report.wording import decimal, enumeration
from realitycheck.statistics.intervals import mean_of
from realitycheck.statistics.rank_correlation import spearman

PREDICTS = 0.6
"""Above this |Spearman| a shared knob predicts the ranking."""

AGREES = 0.5
"""Below this Spearman, validation does not predict the test score: their ranks share less than a quarter."""

FEWEST_LOSSES = 5
"""With fewer losses |Spearman| exceeds 0.6 by chance in a third of studies or more."""

FEWEST_SEARCHES = 10
"""With ten unrelated searches |Spearman| exceeds 0.6 by chance in 7 % of studies, with fewer more often."""


def chosen_places(dataset: DatasetFindings, knob: str) -> dict[str, list[float]]:
    """Label → where in its range each search chose a knob; of losses of which all searches chose a number."""
    places = {loss.label: _places(dataset, loss, knob) for loss in dataset.evidence.losses}
    return {label: own for label, own in places.items() if own}


def _places(dataset: DatasetFindings, loss: LossEvidence, knob: str) -> list[float]:
    bounds = dataset.spaces[loss.label].get(knob)
    chosen = [search.chosen.knobs.get(knob) for search in loss.searches if search.chosen]
    numbers = [value for value in chosen if isinstance(value, int | float)]
    if not isinstance(bounds, Bounds) or len(numbers) < len(loss.searches):
        return []
    return [float(place_in(bounds, value)) for value in numbers]


@dataclass(frozen=True, slots=True)
class Correlations:
    """Spearman's correlations with the primary test score, where there are enough losses or searches.

    Args:
        knobs: shared knob → that of its chosen value: `spearman` and the number of `losses`, `spearman_searches` and
            the number of `searches`.
        validation: that of the replicates' validation score: `spearman` and the number of `losses`.
    """

    knobs: Mapping[str, Mapping[str, float]]
    validation: Mapping[str, float]

    @property
    def sentence(self) -> str:
        """All of them; empty without one."""
        parts = [f"the chosen {knob}, {_shown(numbers)}" for knob, numbers in self.knobs.items()]
        parts += [f"the replicates' validation score, {_shown(self.validation)}"] if self.validation else []
        return f"Spearman's correlation of the test score with {'; with '.join(parts)}." if parts else ""


def find_correlations(dataset: DatasetFindings) -> Correlations:
    """Correlate the test score with every shared knob that was chosen, and with validation."""
    every = {knob: chosen_places(dataset, knob) for knob in dataset.protocol.search.shared}
    known = {knob: {**_over_losses(dataset, own), **_over_searches(dataset, own)} for knob, own in every.items()}
    return Correlations({knob: numbers for knob, numbers in known.items() if numbers}, _validation(dataset))


def knobs(dataset: DatasetFindings) -> Iterator[StudyWarning]:
    """Every shared knob that the test score follows, over the losses or over all their searches."""
    for knob, numbers in find_correlations(dataset).knobs.items():
        correlations = [numbers[name] for name in ("spearman", "spearman_searches") if name in numbers]
        if any(abs(rho) > PREDICTS for rho in correlations):
            yield StudyWarning(
                "knob-predicts-ranking",
                (About(None, None, {"knob": knob, **numbers}),),
                f"The test score follows the {knob} that the searches of each loss chose: Spearman {_shown(numbers)}. "
                "The ranking may be that of the chosen values, not of the losses.",
            )


def _over_losses(dataset: DatasetFindings, places: Mapping[str, Sequence[float]]) -> dict[str, float]:
    scores = _test_scores(dataset)
    both = [label for label in scores if label in places]
    if len(both) < FEWEST_LOSSES:
        return {}
    rho = spearman([mean_of(places[label]) for label in both], [scores[label] for label in both])
    return {} if rho is None else {"spearman": rho, "losses": len(both)}


def _over_searches(dataset: DatasetFindings, places: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """One point per search, where a loss has several: the ranking of the losses then hides what each of them did."""
    study = dataset.study
    pairs = [
        (place, mean)
        for label, own in places.items()
        for place, mean in zip(own, dataset.row(label).cell(study.category, study.metric).search_means, strict=True)
        if mean is not None
    ]
    if study.searches == 1 or len(pairs) < FEWEST_SEARCHES:
        return {}
    rho = spearman([place for place, _ in pairs], [mean for _, mean in pairs])
    return {} if rho is None else {"spearman_searches": rho, "searches": len(pairs)}


def _shown(numbers: Mapping[str, float]) -> str:
    """`0.70 over 13 losses and 0.61 over their 39 searches`, as far as both are there."""
    parts = [f"{decimal(numbers['spearman'])} over {numbers['losses']} losses"] if "spearman" in numbers else []
    if "searches" in numbers:
        whose = "their " if parts else ""
        parts.append(f"{decimal(numbers['spearman_searches'])} over {whose}{numbers['searches']} searches")
    return enumeration(parts)


def validation(dataset: DatasetFindings) -> Iterator[StudyWarning]:
    """Validation scores of the replicates that do not predict the test scores over the losses."""
    numbers = _validation(dataset)
    if numbers and numbers["spearman"] < AGREES:
        yield StudyWarning(
            "validation-does-not-predict",
            (About(None, None, {**numbers}),),
            f"Validation scores of the replicates do not predict their test scores: Spearman {_shown(numbers)}, below "
            f"{AGREES}. Settings were chosen by a score that says little of the test half.",
        )


def _validation(dataset: DatasetFindings) -> dict[str, float]:
    scores, values = _test_scores(dataset), _fresh_validation(dataset)
    both = [label for label in scores if label in values]
    if len(both) < FEWEST_LOSSES:
        return {}
    rho = spearman([values[label] for label in both], [scores[label] for label in both])
    return {} if rho is None else {"spearman": rho, "losses": len(both)}


def _test_scores(dataset: DatasetFindings) -> dict[str, float]:
    study = dataset.study
    means = {row.label: row.cell(study.category, study.metric).mean for row in dataset.rows}
    return {label: mean for label, mean in means.items() if mean is not None}


def _fresh_validation(dataset: DatasetFindings) -> dict[str, float]:
    """Label → mean validation MAP@R of the replicates of all searches."""
    values = {
        loss.label: [value for replicate in loss.replicates if (value := replicate.value) is not None]
        for loss in dataset.evidence.losses
    }
    return {label: mean_of(known) for label, known in values.items() if known}
