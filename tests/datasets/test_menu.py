"""The menu agrees with the dataset classes."""

import pytest

from realitycheck.catalog import resolve_dataset
from realitycheck.datasets.base import Dataset
from realitycheck.datasets.menu import MENU


@pytest.mark.parametrize("name", MENU)
def test_every_entry_is_a_dataset(name):
    entry = MENU[name]
    assert issubclass(resolve_dataset(name), Dataset)
    for text in (entry.title, entry.terms, entry.layout, entry.where):
        assert text and "\n" not in text


@pytest.mark.parametrize("name", [name for name, entry in MENU.items() if not entry.needs_root])
def test_counts_of_the_datasets_in_the_package(name):
    dataset = resolve_dataset(name)()
    assert (MENU[name].classes, MENU[name].images) == (len(dataset.classes), len(dataset.labels))
