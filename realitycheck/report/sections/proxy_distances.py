"""How far embeddings are from the vectors of their own classes in the course of training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure as Canvas

from realitycheck.protocol.recipe import Recipe
from realitycheck.records.curves import by_iteration, column
from realitycheck.records.evidence import LossEvidence
from realitycheck.records.schema import Run
from realitycheck.report.blocks import Block, Column, Content, Figure, Heading, Marked, Note, Paragraph, Table, rows_of
from realitycheck.report.drawing import draw, line_of
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.mean_course import mean_course
from realitycheck.report.papers.published_experiments import experiment_blocks
from realitycheck.report.sections.base import Section
from realitycheck.report.wording import DASH, metric_name, points
from realitycheck.statistics.intervals import mean_of

ABLATION = "softmax_ablation"
"""The loss of the menu whose functions a study names."""

LENGTHS = {"euclidean": "", "cosine": ", both of length 1"}
"""What is said of a distance beside an axis, by the distance that a loss declares."""

SHOWN = ("precision_at_1", "nmi")
"""The scores beside the distance, where they are measured; precision at 1 is recall at 1."""


@dataclass(frozen=True, slots=True)
class DistanceCourse:
    """The distance to the own vector of one loss.

    Args:
        label: the loss.
        functions: names of its functions, of the own distance and of all others; empty for another loss.
        distance: the one that the loss declares.
        iterations: where intervals end that at least half of the runs have.
        means: the mean over these runs.
        end: the mean over runs of the last interval that a run has; None without one.
        scores: means of `SHOWN` in [0, 1], where they are measured.
        diverged: runs of its trials and replicates that diverged.
        runs: how many there are.
    """

    label: str
    functions: tuple[str, ...]
    distance: str
    iterations: tuple[int, ...]
    means: tuple[float, ...]
    end: float | None
    scores: dict[str, float | None]
    diverged: int
    runs: int


@dataclass(frozen=True, slots=True)
class ProxyDistances:
    """Every loss with one vector per class."""

    courses: tuple[DistanceCourse, ...]


def find(dataset: DatasetFindings) -> ProxyDistances | None:
    """The courses; None where no loss has one learned vector per class."""
    courses = tuple(_course(dataset, loss) for loss in dataset.evidence.losses if _has_vectors(loss))
    return ProxyDistances(courses) if any(course.means for course in courses) else None


def _every_run(loss: LossEvidence) -> list[Run]:
    trials = [run for trial in loss.trials for run in trial.runs if run is not None]
    return trials + [run for replicate in loss.replicates for run in replicate.runs]


def _has_vectors(loss: LossEvidence) -> bool:
    return any(set(column(run.training, "proxy_distance")) - {None} for run in _every_run(loss))


def _course(dataset: DatasetFindings, loss: LossEvidence) -> DistanceCourse:
    runs, every = [run for replicate in loss.replicates for run in replicate.fold_runs if run], _every_run(loss)
    courses = [by_iteration(run.training, "proxy_distance") for run in runs]
    known = [[(iteration, distance) for iteration, distance in one if distance is not None] for one in courses]
    known = [points for points in known if points]
    iterations, means = mean_course(known)
    return DistanceCourse(
        label=loss.label,
        functions=_functions(dataset, loss.label),
        distance=loss.distance,
        iterations=tuple(iterations),
        means=tuple(means),
        end=mean_of([points[-1][1] for points in known]) if known else None,
        scores=_scores(dataset, loss.label),
        diverged=sum(run.diverged for run in every),
        runs=len(every),
    )


def _functions(dataset: DatasetFindings, label: str) -> tuple[str, ...]:
    if all((loss.label, loss.address) != (label, ABLATION) for loss in dataset.study.losses):
        return ()
    space = dataset.spaces[label]
    return tuple(str(space[name]) for name in ("own", "other") if isinstance(space.get(name), str))


def _scores(dataset: DatasetFindings, label: str) -> dict[str, float | None]:
    row = dataset.row(label)
    return {
        metric: row.cell(dataset.study.category, metric).mean for metric in SHOWN if metric in dataset.protocol.metrics
    }


def blocks(dataset: DatasetFindings, facts: ProxyDistances) -> Iterator[Block]:
    """Print the table and the figure, and the published ablation beside one of this study."""
    yield Heading(3, "Distance to the own class vector")
    yield Paragraph(
        "The mean distance between an embedding and the learned vector of its class (DeMoor and Prevost 2024, Eq. 9), "
        f"over {_images(dataset.protocol.recipe)} Embeddings are raw where the loss declares the Euclidean distance, "
        "and of length 1 where it declares the cosine distance."
    )
    yield _table(dataset, facts)
    yield Note("Diverged: runs of trials and replicates. A diverged trial is spent; it has no score.")
    yield _figure(dataset, facts)
    if any(course.functions for course in facts.courses):
        yield from experiment_blocks("warped2024", "III", *_beside(facts))


def _images(recipe: Recipe) -> str:
    """The images that the distances are those of."""
    if recipe.unaugmented_distance:
        return "all training images as they are, at the end of an evaluation interval."
    plain = recipe.augment.shift == 0 and recipe.augment.flip == 0 and recipe.augment.crop is None
    batches = "the batches of an evaluation interval, each before its step."
    return f"{batches} {'Images are not augmented.' if plain else 'Images are augmented as in training.'}"


def _table(dataset: DatasetFindings, facts: ProxyDistances) -> Table:
    named = any(course.functions for course in facts.courses)
    metrics = list(facts.courses[0].scores)
    heads = (*map(metric_name, metrics), "Distance at the end", "Diverged")
    functions = (Column("Own distance"), Column("Others")) if named else ()
    return Table(
        (Column("Loss"), *functions, Column("Distance"), *(Column(head, number=True) for head in heads)),
        rows_of([_line(dataset, course, metrics, named=named) for course in facts.courses]),
        caption=f"Scores: {dataset.study.categories[dataset.study.category]}, means in percent. Distance at the end: "
        "the last interval of the fold runs of the replicates, mean over runs.",
    )


def _line(
    dataset: DatasetFindings, course: DistanceCourse, metrics: Sequence[str], *, named: bool
) -> tuple[Content, ...]:
    functions = (course.functions or (DASH, DASH)) if named else ()
    scores = [DASH if (value := course.scores[metric]) is None else points(value) for metric in metrics]
    end = DASH if course.end is None else f"{course.end:.4g}"
    marked = Marked(course.label, dataset.row(course.label).marks)
    return (marked, *functions, course.distance, *scores, end, f"{course.diverged} of {course.runs}")


def _beside(facts: ProxyDistances) -> tuple[dict[str, dict[str, float | None]], dict[str, str]]:
    """Our numbers by loss in the paper's unit, and what each loss is called in its table."""
    numbers = {
        course.label: {metric: None if value is None else 100 * value for metric, value in course.scores.items()}
        | {"distance": course.end}
        for course in facts.courses
    }
    plain = ("identity",)
    names = {
        course.label: own
        for course in facts.courses
        if course.functions
        for own, *others in (course.functions,)
        if tuple(others) in (plain, (own,))
    }
    return numbers, names


def _figure(dataset: DatasetFindings, facts: ProxyDistances) -> Figure:
    shown = [course for course in facts.courses if course.means]
    distances = list(dict.fromkeys(course.distance for course in shown))

    def paint(canvas: Canvas) -> None:
        panels = canvas.subplots(1, len(distances), squeeze=False)[0]
        for panel, distance in zip(panels, distances, strict=True):
            own = [course for course in shown if course.distance == distance]
            panel.grid(axis="y")
            for course in own:
                name, line = dataset.study.shown(course.label), line_of(course.label, dataset.labels)
                panel.plot(course.iterations, course.means, ms=3.5, label=name, **line)
            values = [value for course in own for value in course.means if value > 0]
            if values and max(values) > 20 * min(values):
                panel.set_yscale("log")
            panel.set_xlabel("iteration")
            panel.set_ylabel(f"distance to the own vector{LENGTHS[distance]}")
        canvas.legend(loc="outside upper center", ncols=4, fontsize=8)

    return draw(
        paint,
        name=dataset.figure_name("distances"),
        height=4.4,
        title=f"Distance to the own class vector on {dataset.dataset}",
        caption="Mean distance to the own class vector in the fold runs of the replicates, mean over the runs that are "
        "still training, while at least half are. The scale is logarithmic where the losses are far apart.",
    )


SECTION = Section(
    name="proxy_distances",
    subject=DatasetFindings,
    find=find,
    blocks=blocks,
)
