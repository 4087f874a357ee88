"""What was measured: the protocol in words, the columns of the tables, and what was held constant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

from realitycheck.metrics.menu import metric_entry
from realitycheck.protocol.model import Phase, Protocol, Search
from realitycheck.protocol.recipe import Optimizer, Recipe, TrunkChoice
from realitycheck.report.blocks import Block, Heading, Link, Note, Paragraph, Terms
from realitycheck.report.findings import Findings
from realitycheck.report.sections.base import Section
from realitycheck.report.study_facts import StudyFacts
from realitycheck.report.wording import count, enumeration, ordered_metrics, percent, thousands
from realitycheck.runs import Category

COMPLETE = {
    "appendix_d": "trained for the mean length up to the best checkpoint of the final fold runs of its loss and "
    "search, rounded up to a multiple of five epochs",
    "per_replicate": "trained for the mean length up to the best checkpoint of the fold runs of its seed, rounded up "
    "to a whole number of evaluations",
}
"""The length of a complete run by each rule."""

NORM = {
    "none": "a linear embedder",
    "plain": "LayerNorm, a linear embedder",
    "affine": "affine LayerNorm, a linear embedder",
}
"""What follows the pooling."""

FROZEN = (
    "its features were computed once for each image; only the embedder and the loss were trained. The ranking of "
    "losses may differ where the trunk is trained too"
)
"""The warning of a frozen trunk."""

UNTRAINED = "the trunk with its published weights, without further training, and an embedder at random on top of it"
"""The meaning of the untrained rows where the trunk has learned weights."""

STARTUPS = {"random": "at random", "qmc": "on one Sobol sequence"}
"""How start-up trials are drawn, by the protocol's word."""

SPLITS = {
    "sorted": "in their sorted order, as in the original, the first half is trainval and the second half test. Where "
    "that order goes by kind, such as genus or product group, the halves hold different kinds, and scores say how well "
    "training carries over to other kinds",
    "shuffled": "in an order drawn once, the first half is trainval and the second half test",
    "official": "trainval and test are the halves of the dataset's makers",
}
"""How classes are cut in halves, by the protocol's word."""

SEEDED = {"shuffled": " (seed {})"}

OPTIMIZERS = {"rmsprop": "RMSprop", "adam": "Adam", "adamw": "AdamW", "sgd": "SGD"}

FOLD_RUN = {"normal": "Fold run", "followup": "Its follow-up"}
"""The heading of each phase of a fold run."""


@dataclass(frozen=True, slots=True)
class ProtocolFacts:
    """How the study measured.

    Args:
        summary: the protocol's own summary.
        alike: what every loss had alike: heading and sentence.
        glossary: categories and scores: their names in the tables → a sentence.
        forewords: the paragraphs at the beginning of each file of the study.
    """

    summary: str
    alike: tuple[tuple[str, str], ...]
    glossary: dict[str, str]
    forewords: tuple[tuple[str, ...], ...]


def find(findings: Findings) -> ProtocolFacts:
    """Every report has this section."""
    study = findings.study
    metrics = {metric for dataset in findings.datasets for metric in dataset.protocol.metrics}
    return ProtocolFacts(
        summary=study.protocol.summary,
        alike=tuple(held_constant(study.protocol, interval=study.estimator.title)),
        glossary=glossary(study, metrics),
        forewords=tuple(tuple(foreword(text)) for text in findings.sources.values()),
    )


def blocks(findings: Findings, facts: ProtocolFacts) -> Iterator[Block]:
    """Print what the files say of themselves, then the glossary, then what was held constant."""
    yield Heading(2, "What was measured")
    first, others = facts.forewords[:1], facts.forewords[1:2]
    yield from (Paragraph(paragraph) for foreword in first for paragraph in foreword)
    yield Paragraph(described(findings.study, facts.summary))
    yield from (Paragraph(paragraph) for foreword in others for paragraph in foreword)
    yield Paragraph((Link("The files of study and protocol", "#study-files"), " are printed at the end of the page."))
    yield Heading(3, "Glossary")
    yield Terms(tuple(facts.glossary.items()))
    yield Note(
        "Scores are in percent, differences in percentage points; higher is better. Every image of the test half is a "
        "query against all other images of that half, if its class has another image. Scores are means over queries."
    )
    yield Heading(3, "Held constant")
    yield Terms(tuple((term, f"{text}.") for term, text in facts.alike))


def described(study: StudyFacts, summary: str) -> str:
    """Name the protocol, and quote its summary, which knows nothing of the values that the study replaces."""
    without = " Its file, without these values: " if study.override else ": "
    return f"Protocol {study.protocol_name}{'.' if study.override else ''}{without}{summary}"


def foreword(text: str) -> list[str]:
    """The paragraphs of the comment at the beginning of a file."""
    comment = [line.lstrip("#").strip() for line in takewhile(lambda line: line.startswith("#"), text.splitlines())]
    paragraphs = "\n".join(comment).split("\n\n")
    return [" ".join(paragraph.split()) for paragraph in paragraphs if paragraph.strip()]


def glossary(study: StudyFacts, metrics: set[str]) -> dict[str, str]:
    """Explain the categories of a study and the scores of its datasets: name in the tables → sentence."""
    dims, folds = study.protocol.embedding_dim, study.protocol.folds.count
    sentences = {
        Category.AGGREGATE: f"the mean of the scores of the {folds} fold models; each has an embedding of {dims} "
        "dimensions.",
        Category.ENSEMBLE: f"the score of the concatenated embeddings of the {folds} fold models, {folds * dims} "
        "dimensions.",
        Category.COMPLETE: f"the score of one model with an embedding of {folds * dims} dimensions, trained on all "
        "trainval classes.",
    }
    categories = {name: sentences[category] for category, name in study.categories.items()}
    entries = [metric_entry(metric)[0] for metric in ordered_metrics(metrics)]
    return categories | {entry.term: entry.sentence for entry in entries}


def held_constant(protocol: Protocol, *, interval: str) -> list[tuple[str, str]]:
    """Describe what every loss had alike, with headings; `interval` names the estimator."""
    recipe, final, folds = protocol.recipe, protocol.final, protocol.folds.count
    dims, level = protocol.embedding_dim, percent(protocol.interval.level)
    many = f", {folds * dims} in complete models and in ensembles of {folds}" if folds > 1 else ""
    after = " and a complete run each" if protocol.completes else " each"
    complete = [("Complete run", f"{COMPLETE[final.complete]}; an epoch is {_epoch(protocol.epoch)}")]
    assumed = [("Assumed", f"chosen here, because the paper does not report it: {', '.join(protocol.assumed)}")]
    return [
        ("Model", f"trunk {_trunk(recipe.trunk)}, {recipe.pooling} pooling, {NORM[recipe.layer_norm]}"),
        *((f"On {name}", f"trunk {_trunk(other.trunk)}") for name, other in protocol.on.items() if other.trunk),
        *([("Frozen trunk", FROZEN)] if recipe.trunk.frozen else []),
        *([("Untrained rows", UNTRAINED)] if recipe.trunk.weights else []),
        (
            "Classes",
            f"{SPLITS[protocol.split.order]}{SEEDED.get(protocol.split.order, '').format(protocol.split.seed)}",
        ),
        *((f"Classes of {name}", SPLITS[other.split.order]) for name, other in protocol.on.items() if other.split),
        ("Embedding", f"{dims} dimensions{many}"),
        ("Optimizers", _optimizers(recipe)),
        ("Search", _search(protocol)),
        *((FOLD_RUN[phase.name], _phase(phase)) for phase in protocol.phases),
        ("Retraining", f"{_seeds(protocol)}, {count(folds, 'fold run')}{after}"),
        *(complete if protocol.completes else []),
        ("Interval", f"{interval}, {level}"),
        *(assumed if protocol.assumed else []),
    ]


def _trunk(trunk: TrunkChoice) -> str:
    """`resnet50 (frozen, weights with the SHA-256 0676ba61…)`."""
    details = [f"{name} {value}" for name in ("channels", "model") if (value := getattr(trunk, name)) is not None]
    details += ["frozen"] if trunk.frozen else []
    details += [f"weights with the SHA-256 {trunk.weights.sha256[:12]}…"] if trunk.weights else []
    return f"{trunk.name} ({', '.join(details)})" if details else trunk.name


def _optimizers(recipe: Recipe) -> str:
    """`adam, rate 1e-06 for the trunk; …`, groups with equal keys together; a frozen trunk has none."""
    groups = {"trunk": recipe.optimizers.trunk, "embedder": recipe.optimizers.embedder, "loss": recipe.optimizers.loss}
    if recipe.trunk.frozen:
        del groups["trunk"]
    named: dict[str, list[str]] = {_optimizer(group): [] for group in groups.values()}
    for name, group in groups.items():
        named[_optimizer(group)].append(name)
    clip = f"; gradients limited to ±{recipe.gradient_clip.value:g}" if recipe.gradient_clip else ""
    return "; ".join(f"{text} for {enumeration(names)}" for text, names in named.items()) + clip


def _optimizer(one: Optimizer) -> str:
    rate = "a rate from the search" if one.lr is None else f"rate {one.lr:g}"
    decay = f", weight decay {one.weight_decay:g}" if one.weight_decay else ""
    return f"{OPTIMIZERS[one.name]}, {rate}, momentum {one.momentum:g}{decay}"


def _search(protocol: Protocol) -> str:
    """`20 trials of 4 fold runs; …`, and the number of searches if a loss has several."""
    search = protocol.search
    trials = f"{count(search.trials, 'trial')} of {count(protocol.folds.count, 'fold run')}; {_proposed(search)}"
    if search.searches == 1:
        return trials
    own = "seeds and folds" if protocol.folds.kind == "shuffled" else "seeds"
    return f"{search.searches} independent searches, each with its own {own} and {trials}"


def _seeds(protocol: Protocol) -> str:
    seeds, searches = protocol.final.seeds, protocol.search.searches
    if searches == 1:
        return f"{seeds} fresh seeds for the chosen setting"
    return f"{seeds} fresh seeds, {seeds // searches} for the setting chosen by each search"


def _proposed(search: Search) -> str:
    """`trial 1 the published setting, trials 2 to 8 at random, the others by the sampler gp`."""
    start, drawn = 2 if search.first else 1, min(search.startup_trials, search.trials)
    trials = f"trial {start}" if start == drawn else f"trials {start} to {drawn}"
    others = "the others" if drawn or search.first else "all"
    parts = {
        "trial 1 the published setting": bool(search.first),
        f"{trials} {STARTUPS[search.startup]}": drawn >= start,
        f"{others} by the sampler {search.sampler}": max(drawn, start - 1) < search.trials,
    }
    proposed = ", ".join(part for part, holds in parts.items() if holds)
    return proposed if search.select == "best" else f"{proposed}; the highest posterior mean is chosen"


def _epoch(epoch: int | str) -> str:
    return count(epoch, "iteration") if isinstance(epoch, int) else "a pass over the images"


def _phase(phase: Phase) -> str:
    return (
        f"validated every {count(phase.evaluate_every, 'iteration')}; ends after "
        f"{count(phase.patience, 'evaluation')} without a new best, at {thousands(phase.cap)} iterations at the latest"
    )


SECTION = Section(
    name="measured",
    subject=Findings,
    find=find,
    blocks=blocks,
    keys=lambda facts: {"promise": facts.summary, "alike": facts.alike, "glossary": facts.glossary},
)
