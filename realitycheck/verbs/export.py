"""`export`: what a study found, in the files of other tools."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from realitycheck.errors import InputError
from realitycheck.protocol.read import ReadStudy
from realitycheck.verbs.report import reported
from realitycheck.verbs.study import Progress, Say, unsaid, unwatched


def export_study(
    study: ReadStudy | Path | str,
    *,
    optuna: Path | None = None,
    best: Path | None = None,
    loss: str | None = None,
    weights: bool = True,
    watch: Progress = unwatched,
    say: Say = unsaid,
) -> list[Path]:
    """Write what a study found, finished or not, in the files of other tools; the paths of what was written.

    Args:
        study: the study, or its file.
        optuna: an SQLite file with every finished trial, for optuna-dashboard.
        best: a folder for the chosen settings and for the model of the best loss on each dataset.
        loss: the label of the loss whose model is written; that with the highest validation value where None.
        weights: whether models are written with `best`; one whose weights are gone is trained again.
        watch: sees the progress of images and trainings.
        say: called with what is wrong with stores, which are made again.

    Raises:
        InputError: nothing is asked for, a file exists, or no search is done.
        RunError: a model could not be made again, or came out different.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import mkdtemp
        >>> from realitycheck.verbs import export_study
        >>> export_study("studies/sketches.yaml", optuna=Path(mkdtemp()) / "trials.db")  # doctest: +SKIP
        [PosixPath('/tmp/…/trials.db')]
    """
    if optuna is None and best is None:
        says = "missing option; add `--optuna FILE.db`, or `--best FOLDER`."
        raise InputError.one("the command line", "export-missing", says)
    if optuna is not None and optuna.exists():
        says = f"{optuna} exists. Remove it, or name another file."
        raise InputError.one("the command line", "export-exists", says, where="--optuna")
    return list(_written(study, optuna, best, loss=loss, weights=weights, watch=watch, say=say))


def _written(
    study: ReadStudy | Path | str,
    optuna: Path | None,
    best: Path | None,
    *,
    loss: str | None,
    weights: bool,
    watch: Progress,
    say: Say,
) -> Iterator[Path]:
    read, ledger = reported(study)
    if optuna is not None:
        from realitycheck.verbs.export_searches import export_optuna  # loads optuna, and SQLAlchemy

        export_optuna(read, ledger, optuna)
        yield optuna
    if best is not None:
        from realitycheck.verbs.export_best import export_best

        yield from export_best(read, ledger, best, loss=loss, weights=weights, watch=watch, say=say)
