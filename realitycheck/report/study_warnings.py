"""Warnings that must be read beside the verdicts of a dataset, from all that the other sections found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from realitycheck.report import helped
from realitycheck.report.findings import DatasetFindings, found_once
from realitycheck.report.late import NO_VERDICT
from realitycheck.report.ranking_warnings import knobs, validation
from realitycheck.report.reduced_losses import reduced, reduced_text
from realitycheck.report.sections import retraining, search_effort, search_results
from realitycheck.report.warning_records import About, StudyWarning
from realitycheck.report.wording import enumeration, searched_by_several

MOST = 0.5
"""Above this share of proposals on bounds, or of runs that ended at the cap, there is a warning."""


@found_once
def find_warnings(dataset: DatasetFindings) -> list[StudyWarning]:
    """All warnings of one dataset, in a fixed order; those about the ranking come first."""
    return [warning for finder in FINDERS for warning in finder(dataset)]


def _claims(dataset: DatasetFindings) -> Iterator[StudyWarning]:
    changed = sorted(dataset.changed_claims - NO_VERDICT)
    if changed:
        names = enumeration([name.replace("_", " ") for name in changed])
        yield StudyWarning(
            "claims-changed",
            (About(None, None, {"claims": ", ".join(changed)}),),
            f"Changed after the test half had been opened: {names}. Verdicts depend on it: every loss is exploratory.",
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


def _reduced(dataset: DatasetFindings) -> Iterator[StudyWarning]:
    head = "Chosen values that make a loss another one, or nearly so (within 1 % of the range)"
    yield from _counted(dataset, "loss-reduced", reduced(dataset), head, lambda own: reduced_text(dataset, own))


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
    training = helped.find(dataset)
    about = [
        About(label, None, {"runs": runs, "iteration_0_best": best})
        for label, (runs, best) in (training.first_best if training else {}).items()
        if best
    ]
    head = "Fold runs in which the initial weights validate better than every later checkpoint"
    yield from _counted(dataset, "iteration-0-best", about, head, _of("iteration_0_best", "runs"))


FINDERS: tuple[Callable[[DatasetFindings], Iterator[StudyWarning]], ...] = (
    *(_claims, knobs, validation, _estimator, _disagreeing, _failed, _replicates_diverged, _iteration_0),
    *(_reduced, _capped, _optima, _proposals, _trials_diverged),
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


def _search_means(dataset: DatasetFindings, label: str) -> dict[str, float | int | str]:
    study = dataset.study
    means = dataset.row(label).cell(study.category, study.metric).search_means
    return {f"search {number + 1}": mean for number, mean in enumerate(means) if mean is not None}
