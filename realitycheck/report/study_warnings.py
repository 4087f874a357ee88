"""Warnings that must be read beside the verdicts of a dataset, from all that the other sections found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from realitycheck.protocol.space import Bounds, place_in
from realitycheck.report.findings import DatasetFindings, found_once
from realitycheck.report.late import NO_VERDICT
from realitycheck.report.sections import against_untrained, retraining, search_effort, search_results
from realitycheck.report.wording import count, decimal, enumeration, searched_by_several
from realitycheck.statistics.intervals import mean_of
from realitycheck.statistics.rank_correlation import spearman

PREDICTS = 0.6
"""Above this |Spearman| a shared knob predicts the ranking."""

AGREES = 0.5
"""Below this Spearman, validation does not predict the test score: their ranks share less than a quarter."""

FEWEST_LOSSES = 5
"""With fewer losses |Spearman| exceeds 0.6 by chance in a third of studies or more."""

FEW = 3
"""Losses or searches that a note below a table names one by one."""

MOST = 0.5
"""Above this share of proposals on bounds, or of runs that ended at the cap, there is a warning."""


@dataclass(frozen=True, slots=True)
class About:
    """What a warning is about, and its numbers.

    Args:
        label: the loss; None for the ranking of all losses.
        search: the number of its search, from 0; None for all of them.
        numbers: by name.
    """

    label: str | None
    search: int | None
    numbers: dict[str, float | int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StudyWarning:
    """One warning.

    Args:
        code: its stable name.
        about: the losses and searches concerned.
        sentence: what was found, with the losses, searches and numbers, and what follows.
    """

    code: str
    about: tuple[About, ...]
    sentence: str

    @property
    def labels(self) -> list[str]:
        """Labels of the losses concerned; none for a warning about the ranking."""
        return list(dict.fromkeys(one.label for one in self.about if one.label is not None))

    @property
    def brief(self) -> str:
        """The sentence, with numbers in place of a list of more than a few losses or searches."""
        head, colon, _ = self.sentence.partition(": ")
        if len(self.about) <= FEW or not colon:
            return self.sentence
        losses = count(len(self.labels), "loss", "losses")
        searches = {(one.label, one.search) for one in self.about if one.search is not None}
        counted = f"{count(len(searches), 'search', 'searches')} of {losses}" if searches else losses
        return f"{head}: {counted}."

    def concerns(self, label: str) -> bool:
        """Whether it is about this loss, or about the ranking of all losses."""
        return label in self.labels or not self.labels


@found_once
def find_warnings(dataset: DatasetFindings) -> list[StudyWarning]:
    """All warnings of one dataset, in a fixed order; those about the ranking come first."""
    return [warning for finder in FINDERS for warning in finder(dataset)]


def chosen_places(dataset: DatasetFindings, knob: str) -> dict[str, float]:
    """Label → where in its range a knob was chosen, as a mean over the searches; of losses that all chose a number."""
    places = {}
    for loss in dataset.evidence.losses:
        bounds = dataset.spaces[loss.label].get(knob)
        chosen = [search.chosen.knobs.get(knob) for search in loss.searches if search.chosen]
        numbers = [value for value in chosen if isinstance(value, int | float)]
        if isinstance(bounds, Bounds) and numbers and len(numbers) == len(loss.searches):
            places[loss.label] = mean_of([float(place_in(bounds, value)) for value in numbers])
    return places


def _claims(dataset: DatasetFindings) -> Iterator[StudyWarning]:
    changed = sorted(dataset.changed_claims - NO_VERDICT)
    if changed:
        names = enumeration([name.replace("_", " ") for name in changed])
        yield StudyWarning(
            "claims-changed",
            (About(None, None, {"claims": ", ".join(changed)}),),
            f"Changed after the test half had been opened: {names}. Verdicts depend on it: every loss is exploratory.",
        )


def _knobs(dataset: DatasetFindings) -> Iterator[StudyWarning]:
    scores = _test_scores(dataset)
    for knob in dataset.protocol.search.shared:
        places = chosen_places(dataset, knob)
        both = [label for label in scores if label in places]
        rho = _spearman([places[label] for label in both], [scores[label] for label in both])
        if rho is not None and abs(rho) > PREDICTS:
            numbers: dict[str, float | int | str] = {"knob": knob, "spearman": rho, "losses": len(both)}
            yield StudyWarning(
                "knob-predicts-ranking",
                (About(None, None, numbers),),
                f"The test score follows the {knob} that the searches of each loss chose: Spearman {decimal(rho)} over "
                f"{len(both)} losses. The ranking may be that of the chosen values, not of the losses.",
            )


def _validation(dataset: DatasetFindings) -> Iterator[StudyWarning]:
    scores, values = _test_scores(dataset), _fresh_validation(dataset)
    both = [label for label in scores if label in values]
    rho = _spearman([values[label] for label in both], [scores[label] for label in both])
    if rho is not None and rho < AGREES:
        yield StudyWarning(
            "validation-does-not-predict",
            (About(None, None, {"spearman": rho, "losses": len(both)}),),
            f"Validation scores of the replicates do not predict their test scores: Spearman {decimal(rho)} over "
            f"{len(both)} losses, below {AGREES}. Settings were chosen by a score that says little of the test half.",
        )


def _disagreeing(dataset: DatasetFindings) -> Iterator[StudyWarning]:
    labels = [label for label in dataset.labels if label in dataset.fit.disagreeing]
    if labels:
        yield StudyWarning(
            "searches-disagree",
            tuple(About(label, None, _search_means(dataset, label)) for label in labels),
            f"The searches of {_shown(dataset, labels)} are too far apart for one variance of all losses (Cochran's "
            "test at 5 %). What is compared with it is undecided.",
        )


def _estimator(dataset: DatasetFindings) -> Iterator[StudyWarning]:
    for sentence in dataset.fit.warnings:
        yield StudyWarning("estimate-doubtful", (About(None, None, {**dataset.fit.diagnostics}),), sentence)


def _failed(dataset: DatasetFindings) -> Iterator[StudyWarning]:
    about = [
        About(loss.label, search.number, {"reason": search.failed.reason})
        for loss in dataset.evidence.losses
        for search in loss.searches
        if search.failed
    ]
    yield from _counted(dataset, "search-failed", about, "Searches were set aside as FAILED", lambda own: "")


def _replicates_diverged(dataset: DatasetFindings) -> Iterator[StudyWarning]:
    study = dataset.study
    cells = {row.label: row.cell(study.category, study.metric) for row in dataset.rows}
    about = [
        About(label, None, {"diverged": cell.diverged, "replicates": len(cell.values)})
        for label, cell in cells.items()
        if cell.diverged
    ]
    head = "Replicates without a score because a run diverged"
    yield from _counted(dataset, "replicates-diverged", about, head, _of("diverged", "replicates"))


def _trials_diverged(dataset: DatasetFindings) -> Iterator[StudyWarning]:
    about = [
        About(search.label, search.number, {"diverged": search.diverged, "trials": search.trials})
        for search in search_results.find(dataset).searches
        if search.diverged
    ]
    yield from _counted(dataset, "trials-diverged", about, "Trials diverged", _of("diverged", "trials"))


def _proposals(dataset: DatasetFindings) -> Iterator[StudyWarning]:
    effort = search_effort.find(dataset)
    about = [
        About(one.label, one.number, {"on_bounds": one.on_bounds, "proposed": one.proposed})
        for one in (effort.searches if effort else ())
        if one.on_bounds > MOST * one.proposed
    ]
    head = "More than half of the proposals are on a bound of some range"
    yield from _counted(dataset, "proposals-on-bounds", about, head, _of("on_bounds", "proposed"))


def _optima(dataset: DatasetFindings) -> Iterator[StudyWarning]:
    about = [
        About(search.label, search.number, {knob.name: knob.value})
        for search in search_results.find(dataset).searches
        for knob in search.knobs
        if knob.on_bound
    ]
    head = "Chosen values on a bound of their range, so a wider range might improve the loss"
    yield from _counted(dataset, "optimum-on-bound", about, head, _names)


def _capped(dataset: DatasetFindings) -> Iterator[StudyWarning]:
    endings, shown = retraining.find(dataset).endings, dataset.study.shown
    about = tuple(
        About(one.label, one.number, {"phase": one.phase, "capped": one.final.capped, "runs": one.final.runs})
        for one in endings
        if one.final.capped > MOST * one.final.runs
    )
    if about:
        yield StudyWarning("ended-by-cap", about, retraining.cap_sentence(endings, shown=shown))
    skipped = retraining.skipped_sentence(endings, shown=shown)
    if skipped:
        labels = retraining.skipped_labels(endings)
        yield StudyWarning("no-normal-phase", tuple(About(label, None) for label in labels), skipped)


def _iteration_0(dataset: DatasetFindings) -> Iterator[StudyWarning]:
    helped = against_untrained.find(dataset)
    about = [
        About(label, None, {"runs": runs, "iteration_0_best": best})
        for label, (runs, best) in (helped.first_best if helped else {}).items()
        if best
    ]
    head = "Fold runs in which the initial weights validate better than every later checkpoint"
    yield from _counted(dataset, "iteration-0-best", about, head, _of("iteration_0_best", "runs"))


FINDERS: tuple[Callable[[DatasetFindings], Iterator[StudyWarning]], ...] = (
    *(_claims, _knobs, _validation, _estimator, _disagreeing, _failed, _replicates_diverged, _iteration_0),
    *(_capped, _optima, _proposals, _trials_diverged),
)
"""In the order of the list: the claims, the ranking, the estimates, the scores, the searches."""


def _counted(
    dataset: DatasetFindings, code: str, about: Sequence[About], head: str, text: Callable[[Sequence[About]], str]
) -> Iterator[StudyWarning]:
    """One warning that lists its losses, each with its searches and a text; none where the list is empty."""
    if not about:
        return
    study, parts = dataset.study, []
    for label in dict.fromkeys(one.label or "" for one in about):
        own = [one for one in about if (one.label or "") == label]
        numbers = list(dict.fromkeys(one.search for one in own if one.search is not None))
        name = searched_by_several(study.shown(label), numbers, searches=study.searches)
        parts.append(f"{name} ({text(own)})" if text(own) else name)
    yield StudyWarning(code, tuple(about), f"{head}: {'; '.join(parts)}.")


def _of(part: str, whole: str) -> Callable[[Sequence[About]], str]:
    """`15, 14 and 11 of 17`, or `15 of 17 and 14 of 16` where the wholes differ."""

    def text(about: Sequence[About]) -> str:
        wholes = {one.numbers[whole] for one in about}
        if len(wholes) == 1:
            return f"{enumeration([str(one.numbers[part]) for one in about])} of {wholes.pop()}"
        return enumeration([f"{one.numbers[part]} of {one.numbers[whole]}" for one in about])

    return text


def _names(about: Sequence[About]) -> str:
    return enumeration(list(dict.fromkeys(name for one in about for name in one.numbers)))


def _shown(dataset: DatasetFindings, labels: Sequence[str]) -> str:
    return enumeration([dataset.study.shown(label) for label in labels])


def _spearman(first: Sequence[float], second: Sequence[float]) -> float | None:
    return spearman(first, second) if len(first) >= FEWEST_LOSSES else None


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


def _search_means(dataset: DatasetFindings, label: str) -> dict[str, float | int | str]:
    study = dataset.study
    means = dataset.row(label).cell(study.category, study.metric).search_means
    return {f"search {number + 1}": mean for number, mean in enumerate(means) if mean is not None}
