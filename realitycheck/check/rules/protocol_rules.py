"""A protocol: numbers that must fit each other."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from itertools import pairwise

from realitycheck.check.rules.base import Found, missing, not_allowed, out_of_range, rule, unknown
from realitycheck.evaluations.menu import FORMS, entry_of, is_foundation
from realitycheck.metrics.menu import ASKED
from realitycheck.protocol.asked_scores import Scores
from realitycheck.protocol.document import Document, Fault, holds
from realitycheck.protocol.split_keys import EVEN
from realitycheck.runs import Category
from realitycheck.search.samplers.menu import MENU as SAMPLERS
from realitycheck.statistics.menu import MENU as ESTIMATORS

PHASES = ("normal", "followup")

MOST_RUNS = 100_000
"""Of a loss on a dataset; the original has 240."""

MOST_IMAGES = 16_384
"""Of a batch; the largest published ones have 4,000."""


@rule("study.study", document="file.study")
@rule("protocol.protocol", document="file.protocol")
def named_as_its_file(name: str, *, document: Document) -> Found:
    """Evidence and reports have the name of the study: a copy under the old name would mix two of them."""
    if name != document.path.stem:
        because = f"it must be the file's name, '{document.path.stem}'"
        yield not_allowed("name-not-file", f"'{name}'", because, "Rename the file or change the name.")


@rule("protocol.search.startup_trials", trials="protocol.search.trials")
def startup_within_trials(startup: int, *, trials: int) -> Found:
    """Start-up trials are among the trials."""
    if startup > trials:
        yield out_of_range("startup-trials-range", startup, f"be at most search.trials, {trials}")


@rule("protocol.search.sampler")
def sampler_is_installed(name: str) -> Found:
    """What a sampler imports is there."""
    entry = SAMPLERS[name]
    absent = [module for module in entry.imports if find_spec(module) is None]
    if absent:
        says = f"missing package for the sampler '{name}': {', '.join(absent)}."
        yield Fault("sampler-package-missing", f"{says} Install the extra `realitycheck[{entry.extra}]`.")


@rule("protocol.search.round", trials="protocol.search.trials")
def round_within_trials(size: int, *, trials: int) -> Found:
    """A round is not larger than the search."""
    if size > trials:
        yield out_of_range("round-range", size, f"be at most search.trials, {trials}")


@rule("protocol.search.startup_trials", size="protocol.search.round", sampler="protocol.search.sampler")
def startup_fills_a_round(startup: int, *, size: int, sampler: str) -> Found:
    """A sampler that learns has a value to learn from when it first proposes."""
    if SAMPLERS[sampler].learns and startup < size:
        must = f"be at least search.round, {size}: before that, {sampler} has no values to learn from"
        yield out_of_range("startup-trials-range", startup, must, fix="Raise it, or lower the round.")


@rule("protocol.final.seeds", searches="protocol.search.searches")
def seeds_divide_among_searches(seeds: int, *, searches: int) -> Found:
    """Every search of a loss has as many replicates as another."""
    if seeds % searches:
        above = searches * (seeds // searches + 1)
        fix = f"Use {above}." if seeds < searches else f"Use {above - searches} or {above}."
        yield out_of_range("seeds-not-multiple", seeds, f"be a multiple of search.searches, {searches}", fix=fix)


@rule("protocol.search.searches", method="protocol.interval.method")
def searches_fit_the_estimator(searches: int, *, method: str) -> Found:
    """An estimator from the gaps between searches needs two of them; one from a single search takes one."""
    entry = ESTIMATORS[method]
    if searches < entry.least_searches:
        must = f"be at least {entry.least_searches} for interval.method {method}"
        yield out_of_range("searches-range", searches, must, fix="Raise it, or choose another method.")
    if entry.most_searches is not None and searches > entry.most_searches:
        must = f"be at most {entry.most_searches} for interval.method {method}"
        yield out_of_range("searches-range", searches, must, fix="Lower it, or choose another method.")


@rule("protocol.interval.runners_up", method="protocol.interval.method")
def runners_up_for_their_estimator(number: int, *, method: str) -> Found:
    """An estimator that uses the scores of runners-up needs some."""
    if ESTIMATORS[method].near_best and not number:
        must = f"be at least 1 for interval.method {method}"
        yield out_of_range("runners-up-range", number, must, fix="Raise it, or choose another method.")


@rule(
    "protocol.search.trials",
    searches="protocol.search.searches",
    folds="protocol.folds.count",
    seeds="protocol.final.seeds",
)
def runs_can_be_counted(trials: int, *, searches: int, folds: int, seeds: int) -> Found:
    """The trainings of one loss are so few that a plan can list them."""
    if searches * trials * folds + seeds * (folds + 1) > MOST_RUNS:
        must = f"be lower: a loss may have at most {MOST_RUNS:,} trainings on a dataset"
        yield out_of_range("runs-range", trials, must, fix="Lower the trials, searches, folds or seeds.")


@rule("protocol.batches.pairs.per_class", classes="protocol.batches.pairs.classes")
@rule("protocol.batches.proxies.per_class", classes="protocol.batches.proxies.classes")
@rule("protocol.on.<other>.batches.pairs.per_class", classes="protocol.on.<other>.batches.pairs.classes")
@rule("protocol.on.<other>.batches.proxies.per_class", classes="protocol.on.<other>.batches.proxies.classes")
def batches_fit_memory(per_class: int, *, classes: int) -> Found:
    """A batch is not larger than any machine holds."""
    if classes * per_class > MOST_IMAGES:
        yield out_of_range("batch-range", per_class, f"make batches of at most {MOST_IMAGES:,} images")


@rule("protocol.folds.count", kind="protocol.folds.kind")
def folds_of_their_kind(count: int, *, kind: str) -> Found:
    """A hold-out is one fold; every other kind has two or more."""
    if kind == "hold_out" and count != 1:
        yield out_of_range("fold-count", count, "be 1 for a hold-out", fix="Lower it, or choose another kind.")
    if kind != "hold_out" and count < 2:
        yield out_of_range("fold-count", count, "be at least 2", fix="Raise it, or choose `hold_out`.")


@rule("protocol.folds.share", kind="protocol.folds.kind")
def share_of_a_hold_out(share: float, *, kind: str) -> Found:
    """Only a hold-out has a share of the classes to train on."""
    if share != EVEN and kind != "hold_out":
        yield not_allowed("fold-share", f"`share: {share:g}`", f"folds of kind `{kind}` have one size", "Remove it.")


@rule("protocol.categories", count="protocol.folds.count")
def categories_have_folds(categories: Sequence[Category], *, count: int) -> Found:
    """One fold gives nothing to join."""
    if count == 1 and Category.ENSEMBLE in categories:
        yield not_allowed("category-needs-folds", "`ensemble`", "there is one fold", "Remove it.")


@rule("protocol.categories")
def categories_are_different(categories: Sequence[Category]) -> Found:
    """Each category is named once."""
    for place, category in enumerate(categories):
        if category in categories[:place]:
            yield Fault("category-duplicate", f"duplicate category '{category.value}'. Remove one.", (place,))


@rule("protocol.evaluations")
def evaluations_are_known(names: Sequence[str]) -> Found:
    """Each is named once, in the form of the menu."""
    for place, name in enumerate(names):
        known = entry_of(name)
        if known is None or not known.form:
            forms = [form for form in FORMS if ":" in form]
            yield unknown("evaluation-unknown", "evaluation", name, forms, place)
        elif is_foundation(name):
            because = "the study names its models"
            yield not_allowed("evaluation-foundation", f"'{name}'", because, "Use its key `foundations`.", place)
        elif name in names[:place]:
            yield Fault("evaluation-duplicate", f"duplicate evaluation '{name}'. Remove one.", (place,))


@rule("protocol.phases.<phase>.name", place="<phase>")
@rule("protocol.on.<other>.phases.<phase>.name", place="<phase>")
def phases_in_order(name: str, *, place: int) -> Found:
    """The first phase is `normal`, the second `followup`."""
    if place < len(PHASES) and name != PHASES[place]:
        because = f"phase {place + 1} must be '{PHASES[place]}'"
        yield not_allowed("phase-order", f"'{name}'", because, "Rename or move the phase.")


@rule("protocol.phases.<phase>.evaluate_every", cap="protocol.phases.<phase>.cap")
@rule("protocol.on.<other>.phases.<phase>.evaluate_every", cap="protocol.on.<other>.phases.<phase>.cap")
def evaluated_before_the_cap(every: int, *, cap: int) -> Found:
    """A phase is evaluated at least once."""
    if every > cap:
        yield out_of_range("evaluation-range", every, f"be at most the phase's cap, {cap}")


@rule("protocol.batches.pairs.per_class")
@rule("protocol.on.<other>.batches.pairs.per_class")
def batches_hold_pairs(per_class: int) -> Found:
    """A loss of pairs needs two images of a class."""
    if per_class < 2:
        must = "be at least 2, so that a batch has two images of one class"
        yield out_of_range("batch-per-class", per_class, must)


@rule("protocol.scores")
@rule("protocol.on.<other>.scores")
def scores_are_asked_for(scores: Scores | None) -> Found:
    """`scores` names at least one score."""
    if scores is not None and not scores.metrics:
        yield missing("scores-empty", next(iter(ASKED)), example="[1, 10]", because="`scores` is empty")


@rule("protocol.scores")
@rule("protocol.on.<other>.scores")
def neighbours_in_order(scores: Scores | None) -> Found:
    """The numbers of neighbours of a score rise: the tables show them in this order."""
    for option in (option for option, entry in ASKED.items() if scores is not None and entry.least_k):
        for place, (before, k) in enumerate(pairwise(getattr(scores, option)), start=1):
            if k <= before:
                must = f"be larger than the one before it, {before}"
                yield out_of_range(
                    "neighbours-order", k, must, option, place, fix="Sort the list, and remove duplicates."
                )


@rule("protocol.assumed.<place>", document="file.protocol")
def assumed_is_a_key(name: str, *, document: Document) -> Found:
    """What is marked as assumed is a key of the file."""
    value = document.data
    for word in name.split("."):
        key = int(word) if word.isdecimal() else word
        if not holds(value, key):
            says = f"unknown key '{name}': it must be the path of a key of this file, such as `search.trials`."
            yield Fault("assumed-unknown", says)
            return
        value = value[key]
