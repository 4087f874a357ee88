"""A study: its names, its datasets, and the category of its verdicts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from realitycheck.catalog import is_address
from realitycheck.check.rules.base import Found, not_allowed, out_of_range, rule, unknown
from realitycheck.datasets.menu import MENU as DATASETS
from realitycheck.errors import first_few
from realitycheck.evaluations.menu import LISTED_PAIRS, pair_list_in
from realitycheck.protocol.document import Fault
from realitycheck.protocol.pair_list_keys import PairFiles
from realitycheck.protocol.space import Choice, Space
from realitycheck.protocol.sweep_keys import Grid
from realitycheck.runs import Category

_ADDRESS = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*")


def is_an_address(name: str) -> bool:
    """Whether a name has the form of an address, `module:Class`."""
    return _ADDRESS.fullmatch(name) is not None


def known_name(kind: str, name: str, menu: Collection[str]) -> Iterator[Fault]:
    """What is wrong with a name that must be on a menu, or an address `module:Class`."""
    if is_address(name) and not is_an_address(name):
        fix = f"Write `module:Class`, such as `my_lab.code:My{kind.capitalize()}`."
        yield not_allowed("address-invalid", f"'{name}'", f"must be the address of a {kind}", fix)
    if not is_address(name) and name not in menu:
        fault = unknown(f"{kind}-unknown", kind, name, list(menu))
        yield Fault(fault.code, f"{fault.says} For a class of your own, write `module:Class`.")


@rule("study.baseline", labels="keys(study.losses)")
def baseline_is_a_loss(label: str, *, labels: tuple[str, ...]) -> Found:
    """Losses are compared with one of them."""
    if labels and label not in labels:
        yield unknown("baseline-unknown", "loss", label, labels)


@rule("study.same.<place>", labels="keys(study.losses)")
def same_are_losses(label: str, *, labels: tuple[str, ...]) -> Found:
    """What is one function under several names is among the losses."""
    if labels and label not in labels:
        yield unknown("same-unknown", "loss", label, labels)


@rule("keys(study.sweep.knobs)", labels="keys(study.losses)")
def swept_losses_are_known(swept: tuple[str, ...], *, labels: tuple[str, ...]) -> Found:
    """A sweep is of a loss of the study."""
    for label in swept:
        if label not in labels:
            yield unknown("sweep-loss-unknown", "loss", label, labels, label)


@rule("study.sweep.knobs.<loss>", space="loss.space", shared="protocol.search.shared")
def swept_knobs_are_numbers(swept: Mapping[str, Grid], *, space: Space, shared: Space) -> Found:
    """A sweep is over a number among the hyper-parameters that the search of the loss has."""
    every = {**shared, **space}
    for knob in swept:
        if knob not in every:
            yield unknown("sweep-knob-unknown", "hyper-parameter of the loss:", knob, list(every), knob)
        elif isinstance(every[knob], str | Choice):
            yield not_allowed("sweep-knob-not-number", f"`{knob}`", "it is no number", "Remove it.", knob)


@rule("study.sweep.seeds", seeds="protocol.final.seeds", searches="protocol.search.searches")
def swept_seeds_are_replicates(swept: int, *, seeds: int, searches: int) -> Found:
    """The seeds of a sweep are those of replicates of the first search, so that runs are shared."""
    if swept > seeds // searches:
        yield out_of_range("sweep-seeds-range", swept, f"be at most {seeds // searches}, the replicates of a search")


@rule("study.default_rows", first="protocol.search.first", trials="protocol.search.trials")
def default_rows_have_a_default(wanted: bool, *, first: str | None, trials: int) -> Found:  # noqa: FBT001 - a rule's own value
    """The setting of a default row is that of slot 0, and another one can be chosen."""
    if wanted and first is None:
        because = "the protocol has no `search.first: published`"
        yield not_allowed("default-rows-unknown", "`default_rows`", because, "Add it to the protocol, or remove this.")
    elif wanted and trials == 1:
        because = "with `search.trials: 1` the row of each loss is its published setting"
        yield not_allowed("default-rows-unsearched", "`default_rows`", because, "Remove it, or raise the trials.")


@rule("protocol.evaluations.<evaluation>", lists="study.pair_lists")
def pair_lists_are_known(evaluation: str, *, lists: Mapping[str, PairFiles] | None) -> Found:
    """The study says where a list of pairs is that an evaluation names."""
    named = pair_list_in(evaluation)
    if named and named[0] not in (lists or {}):
        says = (
            f"unknown list of pairs '{named[0]}'. Add `pair_lists: {{{named[0]}: {{file: …}}}}` to the study. "
            f"It has {first_few(list(lists or ())) or 'none'}."
        )
        yield Fault("pair-list-unknown", says)


@rule("study.pair_lists", evaluations="protocol.evaluations")
def pair_lists_are_used(lists: Mapping[str, PairFiles] | None, *, evaluations: Sequence[str]) -> Found:
    """An evaluation names every list of pairs of the study."""
    named = {pair[0] for pair in map(pair_list_in, evaluations) if pair}
    for name in sorted((lists or {}).keys() - named):
        says = f"no evaluation names it; add `{LISTED_PAIRS}:{name}-{'0' * 16}` to `evaluations`. Then `realitycheck "
        yield Fault("pair-list-unused", f"{says}check` says the digits.", (name,))


@rule("dataset.address")
def dataset_is_known(name: str) -> Found:
    """A dataset is on the menu, or an address."""
    yield from known_name("dataset", name, DATASETS)


@rule("study.datasets.<dataset>.root", name="dataset.address")
def root_where_it_is_needed(root: str | None, *, name: str) -> Found:
    """A dataset of the menu has a root if it does not ship with the package."""
    entry = DATASETS.get(name)
    if entry and entry.needs_root and root is None:
        yield Fault("root-missing", "missing key; add `root: /path/to/the/images`.")
    if entry and not entry.needs_root and root is not None:
        yield not_allowed("root-not-allowed", "`root`", f"'{name}' ships with the package", "Remove it.")


@rule("study.datasets.<dataset>.exclude", name="dataset.address")
def exclude_where_folders_are_read(exclude: Sequence[str] | None, *, name: str) -> Found:
    """Patterns are for folders of images; other datasets of the menu are read as their makers listed them."""
    entry = DATASETS.get(name)
    if entry and exclude and not entry.excludes:
        yield not_allowed("exclude-not-allowed", "`exclude`", f"the images of '{name}' are listed", "Remove it.")


@rule("study.primary.category", measured="protocol.categories")
def category_is_measured(category: Category, *, measured: Sequence[Category]) -> Found:
    """Verdicts are on a category that the protocol measures."""
    if category not in measured:
        known = ", ".join(one.value for one in measured)
        because = f"the protocol measures only {known}"
        yield not_allowed(
            "category-not-measured",
            f"'{category.value}'",
            because,
            "Choose one of these, or add the category to the protocol.",
        )


def losses_are_several(labels: tuple[str, ...]) -> Found:
    """One loss cannot be compared."""
    if len(labels) == 1:
        yield Fault("losses-few", "missing loss; add one: a study compares two or more losses.")
