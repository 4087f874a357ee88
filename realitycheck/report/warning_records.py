"""A warning beside the verdicts, and what it is about."""

from __future__ import annotations

from dataclasses import dataclass, field

from realitycheck.report.wording import count

FEW = 3
"""Losses or searches that a sentence, or a note below a table, always names one by one."""


@dataclass(frozen=True, slots=True)
class About:
    """What a warning is about, and its numbers.

    Args:
        label: the loss; None for the ranking of all losses.
        search: the number of its search, from 0; None for all of them.
        numbers: by name.
    """

    label: str | None
    search: int | None
    numbers: dict[str, float | int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StudyWarning:
    """One warning.

    Args:
        code: its stable name.
        about: the losses and searches concerned.
        sentence: what was found, with the losses, searches and numbers, and what follows.
    """

    code: str
    about: tuple[About, ...]
    sentence: str

    @property
    def labels(self) -> list[str]:
        """Labels of the losses concerned; none for a warning about the ranking."""
        return list(dict.fromkeys(one.label for one in self.about if one.label is not None))

    @property
    def brief(self) -> str:
        """The sentence, with numbers in place of a list of more than a few losses or searches."""
        head, colon, _ = self.sentence.partition(": ")
        if len(self.about) <= FEW or not colon:
            return self.sentence
        losses = count(len(self.labels), "loss", "losses")
        searches = {(one.label, one.search) for one in self.about if one.search is not None}
        counted = f"{count(len(searches), 'search', 'searches')} of {losses}" if searches else losses
        return f"{head}: {counted}."

    def concerns(self, label: str) -> bool:
        """Whether it is about this loss, or about the ranking of all losses."""
        return label in self.labels or not self.labels
