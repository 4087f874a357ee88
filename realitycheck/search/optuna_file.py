"""Searches as one SQLite file of Optuna, for optuna-dashboard and Optuna's own plots. It is never read back."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from realitycheck.atomic import OTHERWISE, draft_of, made_there, publish
from realitycheck.errors import StorageError
from realitycheck.search.propose import distribution_of


@dataclass(frozen=True, slots=True)
class ShownTrial:
    """A finished trial.

    Args:
        knobs: its hyper-parameters, as the sampler sees them.
        value: its mean validation MAP@R; None where it diverged.
        attributes: what else is known of it, as plain JSON.
    """

    knobs: Mapping[str, Any]
    value: float | None
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ShownSearch:
    """A search, and what is known of it.

    Args:
        name: `dataset/label`, with the number of the search where there are several.
        space: hyper-parameter → range as plain JSON; a value that is no range is fixed.
        trials: the finished trials, in the order of their slots.
        attributes: what else is known of it, as plain JSON.
    """

    name: str
    space: Mapping[str, Any]
    trials: Sequence[ShownTrial]
    attributes: Mapping[str, Any] = field(default_factory=dict)


def write_optuna(path: Path, searches: Sequence[ShownSearch]) -> None:
    """Write one study of Optuna per search, whole or not at all; a diverged trial has the state FAIL.

    Raises:
        StorageError: the file cannot be written, such as on a full disk.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with draft_of(path) as draft:
        with made_there(path):
            draft.touch()
        try:
            _fill(draft, searches)
        except Exception as error:
            if (cause := _of_sqlite(error)) is None:
                raise
            raise StorageError(f"{path}: SQLite reports: {cause}. {OTHERWISE}") from error
        publish(draft, path)


def _fill(draft: Path, searches: Sequence[ShownSearch]) -> None:
    # Not by an address: `?`, `#`, `%` and braces of a path have a meaning in one.
    storage = RDBStorage("sqlite://", engine_kwargs={"creator": partial(sqlite3.connect, draft)})
    for search in searches:
        study = optuna.create_study(study_name=search.name, storage=storage, direction="maximize")
        for name, value in search.attributes.items():
            study.set_user_attr(name, value)
        study.add_trials([_trial(search.space, trial) for trial in search.trials])
    storage.remove_session()
    storage.engine.dispose()


def _of_sqlite(error: BaseException | None) -> sqlite3.Error | None:
    """The error of SQLite that another one was raised for, or None."""
    while error is not None and not isinstance(error, sqlite3.Error):
        error = error.__cause__
    return error


def _trial(space: Mapping[str, Any], trial: ShownTrial) -> FrozenTrial:
    ranges = {name: distribution_of(bounds) for name, bounds in space.items() if isinstance(bounds, dict)}
    return create_trial(
        state=TrialState.FAIL if trial.value is None else TrialState.COMPLETE,
        value=trial.value,
        params={name: trial.knobs[name] for name in ranges},
        distributions=ranges,
        user_attrs=dict(trial.attributes),
    )
