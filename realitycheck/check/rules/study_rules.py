"""A study: its names, its datasets, and the category of its verdicts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from realitycheck.catalog import is_address
from realitycheck.check.rules.base import Found, not_allowed, rule, unknown
from realitycheck.datasets.menu import MENU as DATASETS
from realitycheck.protocol.document import Fault
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
