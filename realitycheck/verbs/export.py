"""`export`: what a study found, in the files of other tools."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from realitycheck.errors import InputError
from realitycheck.protocol.read import ReadStudy
from realitycheck.records.ledger import Ledger
from realitycheck.verbs.report import reported
from realitycheck.verbs.study import Progress, Say, unsaid, unwatched

PACKAGES = {"parquet": "pyarrow", "tensorboard": "tensorboard"}
"""Option → the package of the extra `export` that it needs."""


def export_study(
    study: ReadStudy | Path | str,
    *,
    optuna: Path | None = None,
    parquet: Path | None = None,
    tensorboard: Path | None = None,
    best: Path | None = None,
    loss: str | None = None,
    weights: bool = True,
    embed: Path | None = None,
    watch: Progress = unwatched,
    say: Say = unsaid,
) -> list[Path]:
    """Write what a study found, finished or not, in the files of other tools; the paths of what was written.

    Args:
        study: the study, or its file.
        optuna: an SQLite file with every finished trial, for optuna-dashboard.
        parquet: a new folder for tables of trials, runs, curves and scores; needs pyarrow.
        tensorboard: a new folder for the curves of every run; needs tensorboard.
        best: a folder for the chosen settings and for the model of the best loss on each dataset.
        loss: the label of the loss whose model is written; that with the largest gain in validation where None.
        weights: whether models are written with `best`; one whose weights are gone is trained again.
        embed: a folder of images, of which the embeddings by each model that `best` writes are written beside it.
        watch: sees the progress of images and trainings.
        say: called with what is wrong with stores, which are made again.

    Raises:
        InputError: nothing is asked for, a file exists, its folder does not, a package is missing, no search is done,
            or the images cannot be embedded.
        RunError: a model could not be made again, or came out different.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import mkdtemp
        >>> from realitycheck.verbs import export_study
        >>> export_study("studies/sketches.yaml", optuna=Path(mkdtemp()) / "trials.db")  # doctest: +SKIP
        [PosixPath('/tmp/…/trials.db')]
    """
    options = {"optuna": optuna, "parquet": parquet, "tensorboard": tensorboard}
    new = {option: path for option, path in options.items() if path is not None}
    if not new and best is None:
        says = "missing option; add `--optuna FILE.db`, `--parquet FOLDER`, `--tensorboard FOLDER` or `--best FOLDER`."
        raise InputError.one("the command line", "export-missing", says)
    if embed is not None and (best is None or not weights):
        says = "`--embed` is not allowed here: it needs a model. Add `--best FOLDER`, without `--no-weights`."
        raise InputError.one("the command line", "embed-without-model", says, where="--embed")
    for option, path in new.items():
        _require_new(path, option)
        _require_package(option)
    read, ledger = reported(study)
    written = [path for option, path in new.items() for path in _exported(read, ledger, option, path)]
    if best is None:
        return written
    from realitycheck.verbs.export_best import export_best
    from realitycheck.verbs.export_embeddings import allowed_images, export_embeddings

    # Before a model is written, which may have to be trained again.
    names = [] if embed is None else allowed_images(read, ledger, embed, watch=watch)
    made = export_best(read, ledger, best, loss=loss, weights=weights, watch=watch, say=say)
    if embed is None:
        return [*written, *made]
    return [*written, *made, *export_embeddings(read, made[1:], embed, names, watch=watch)]


def _require_new(path: Path, option: str) -> None:
    """Refuse a file that exists, a folder with something in it, and a place without a folder around it."""
    empty = option != "optuna" and path.is_dir() and not any(path.iterdir())
    if path.exists() and not empty:
        says = f"{path} exists. Remove it, or name another one."
        raise InputError.one("the command line", "export-exists", says, where=f"--{option}")
    if not path.absolute().parent.is_dir():
        says = f"missing folder: {path.absolute().parent}. Create it, or name another place."
        raise InputError.one("the command line", "export-folder-missing", says, where=f"--{option}")


def _require_package(option: str) -> None:
    package = PACKAGES.get(option)
    if package is not None and find_spec(package) is None:
        says = f"missing package {package}. Install it: pip install 'realitycheck[export]'"
        raise InputError.one("the command line", "export-package-missing", says, where=f"--{option}")


def _exported(read: ReadStudy, ledger: Ledger, option: str, path: Path) -> Iterator[Path]:
    """Write what one option asks for; each loads packages that the others do without."""
    if option == "optuna":
        from realitycheck.verbs.export_searches import export_optuna

        export_optuna(read, ledger, path)
        yield path
    elif option == "parquet":
        from realitycheck.verbs.export_parquet import export_parquet

        yield from export_parquet(read, ledger, path)
    else:
        from realitycheck.verbs.export_tensorboard import export_tensorboard

        yield export_tensorboard(read, ledger, path)
