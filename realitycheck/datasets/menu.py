"""The menu of datasets: one line per dataset, readable without its images."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """What the house says of one dataset.

    Args:
        address: `module:Class` of the dataset.
        needs_root: whether a study must name the folder that holds its images.
    """

    address: str
    needs_root: bool


MENU: dict[str, Entry] = {
    "sketches": Entry("realitycheck.datasets.sketches:Sketches", needs_root=False),
    "few_sketches": Entry("realitycheck.datasets.few_sketches:FewSketches", needs_root=False),
    "folder": Entry("realitycheck.datasets.folder:Folder", needs_root=True),
}
"""Name → entry. A study may use any other class by its address."""
