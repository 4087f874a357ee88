"""The progress of a study in a notebook: one table below the cell, replaced while the study runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from realitycheck.errors import InputError
from realitycheck.search.standing import Standing
from realitycheck.verbs.html_tables import standings_html
from realitycheck.verbs.study_result import Activity


@dataclass(frozen=True, slots=True)
class _Shown:
    html: str

    def _repr_html_(self) -> str:
        return self.html


@dataclass(slots=True)
class NotebookProgress:
    """A `Watch` for `run_study` that shows in a notebook how far each loss is, and the jobs at work.

    Raises:
        InputError: there is no IPython, so this is no notebook.

    Example:
        In a cell: `run_study(study, watch=NotebookProgress())`.
    """

    _handle: Any = field(default=None, init=False)
    _last: str = field(default="", init=False)

    def __call__(self, standings: Sequence[Standing], running: Sequence[Activity]) -> None:
        """Replace the table where something has changed."""
        html = standings_html(standings, notes=map(str, running))
        if html == self._last:
            return
        self._last = html
        if self._handle is None:
            self._handle = _display(_Shown(html))
        else:
            self._handle.update(_Shown(html))


def _display(shown: _Shown) -> Any:
    try:
        from IPython.display import display
    except ImportError as missing:
        says = "missing IPython: this is no notebook. Leave `watch` out."
        raise InputError.one("NotebookProgress", "notebook-missing", says) from missing
    return display(shown, display_id=True)
