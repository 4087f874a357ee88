"""The key `scores` of a protocol: what is measured beside the scores of every record, by the menu of metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, create_model

from realitycheck.metrics.menu import ASKED, MetricEntry
from realitycheck.protocol.base import FrozenSection


def _asked(entry: MetricEntry) -> tuple[Any, Any]:
    """The type and default of a key of `scores`: a list of k, or whether the score is measured."""
    return (tuple[Annotated[int, Field(ge=entry.least_k)], ...], ()) if entry.least_k else (bool, False)


if TYPE_CHECKING:
    _Asked = FrozenSection
else:
    _Asked = create_model(
        "_Asked", __base__=FrozenSection, **{option: _asked(entry) for option, entry in ASKED.items()}
    )


class Scores(_Asked):
    """What is measured on the test half in addition to the scores of every record.

    Its keys are the options of the menu of metrics.
    """

    options = frozenset(ASKED)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of these scores in records, in the order of the tables."""
        return tuple(key for option, entry in ASKED.items() for key in entry.keys(getattr(self, option)))
