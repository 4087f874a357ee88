"""`verify`: derive the numbers of a ledger and of a report a second time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from realitycheck.arithmetic import unpinned
from realitycheck.errors import InputError, RunError
from realitycheck.losses import menu
from realitycheck.protocol.read import ReadStudy
from realitycheck.runs import Body
from realitycheck.verbs.folders import evidence_of, study_path
from realitycheck.verbs.study import open_packed, open_study
from realitycheck.verify.checks import Checks
from realitycheck.verify.declared import DeclaredStudy
from realitycheck.verify.verification import Verified, verify_ledger, verify_report

ASKING = "realitycheck.search.asked_again"
"""The module that answers questions to the sampler."""


def verify_study(study: ReadStudy | Path | str, *, report: Path | None = None, ask: bool = True) -> Checks:
    """Verify a study's ledger, and its report where there is one, by code that shares nothing with that of `report`.

    Args:
        study: a study's file, the folder of its evidence, or a packed ledger.
        report: the folder of the report; `reports/<study>` of the study's home where None, if it exists.
        ask: whether the sampler is asked for every proposal again, which takes as long as at first.

    Raises:
        InputError: the files of the study are wrong, or there is no ledger or no report.

    Example:
        >>> from realitycheck import verify_study
        >>> checks = verify_study("studies/demo.yaml")
        >>> checks.problems
        []
    """
    file, _ = _places(study_path(study))
    verified = verified_ledger(study, ask=ask)
    pages = report or file.absolute().parent.parent / "reports" / file.stem
    if pages.is_dir():
        verify_report(verified, pages)
    elif report is not None:
        raise InputError.one("the command line", "report-missing", f"there is no folder {report}.", where="--report")
    else:
        verified.checks.skip(f"There is no report in {pages}.")
    return verified.checks


def verified_ledger(study: ReadStudy | Path | str, *, ask: bool) -> Verified:
    """The ledger alone, with what a report is held to; raises as `verify_study`."""
    file, folder = _places(study_path(study))
    texts = open_study(file).texts() if file.exists() else None
    return verify_ledger(folder, texts=texts, read=partial(_declared, file), ask=_answers if ask else None)


def _places(path: Path) -> tuple[Path, Path]:
    """The file of the study, which need not exist, and the folder of its evidence.

    Raises:
        InputError: there is no ledger.
    """
    folder = path if path.is_dir() else path.parent if path.name.endswith(".gz") else evidence_of(path)
    if not (folder / "ledger").is_dir() and not (folder / "ledger.jsonl.gz").exists():
        says = f"there is no ledger in {folder}. `run` the study, or name the folder of its ledger."
        raise InputError.one(str(path), "ledger-missing", says)
    return folder.parent / f"{folder.name}.yaml", folder


def _declared(path: Path, texts: Mapping[str, str]) -> DeclaredStudy:
    """A study as plain JSON, from the texts of its files."""
    try:
        read: ReadStudy = open_packed(path, texts)
    except InputError as error:
        raise ValueError(str(error)) from error
    study = read.study
    on = {choice.name: study.protocol_on(choice.name).model_dump(mode="json") for choice in study.datasets}
    entries = {loss.label: menu.entry(loss.address) for loss in study.losses}
    statuses = {label: entry.status if entry else "" for label, entry in entries.items()}
    return DeclaredStudy(study.model_dump(mode="json"), on, statuses)


def _answers(kind: str, payloads: Sequence[Body]) -> list[Body]:
    """Ask in this process where its arithmetic is the protocol's, else in one that is started with it."""
    if not payloads:
        return []
    names = {str(payload["arithmetic"]) for payload in payloads}
    variables = {key: value for name in names for key, value in unpinned(name).items()}
    if not variables:
        from realitycheck.search.asked_again import answers  # optuna takes a second to load

        return answers(kind, payloads)
    return _elsewhere(kind, payloads, variables)


def _elsewhere(kind: str, payloads: Sequence[Body], variables: Mapping[str, str]) -> list[Body]:
    request = json.dumps({"kind": kind, "payloads": list(payloads)})
    done = subprocess.run(
        [sys.executable, "-m", ASKING],
        input=request,
        env={**os.environ, **variables, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = "".join(done.stderr.strip().splitlines()[-1:])
        raise RunError(f"the sampler could not be asked again: {reason}")
    bodies: list[Body] = json.loads(done.stdout)
    return bodies
