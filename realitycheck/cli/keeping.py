"""Commands on what a study has: `status`, `pack`, `doctor` and `clean`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from realitycheck import verbs
from realitycheck.cli.arguments import StudyFile
from realitycheck.cli.loading import load, warn
from realitycheck.cli.progress import making, out, standings_table
from realitycheck.cli.result_lines import print_warnings
from realitycheck.errors import InputError

SHIPPED = Path("studies/demo.yaml")
"""A study that every installation has."""

Everything = Annotated[
    bool, typer.Option("--everything", help="Delete weights and checkpoints too: their runs are trained again.")
]


def status(study: StudyFile) -> None:
    """Print what is done, diverged and left, according to the ledger."""
    read = verbs.open_study(study)
    print_warnings(read, verbs.changed_sources(read))
    known = verbs.study_status(read)
    for problem in known.problems:
        warn(problem)
    out.print(standings_table(known.standings))
    for standing in known.standings:
        if standing.raised:
            out.print(f"{standing.name}: {standing.raised}", markup=False, soft_wrap=True)
        if standing.failed:
            out.print(standing.failed, markup=False, soft_wrap=True)
    for other in known.others:
        out.print(str(other), markup=False, soft_wrap=True)


def pack(study: StudyFile) -> None:
    """Pack a study's ledger, finished or not, into the one file that is committed."""
    path = verbs.pack_study(study)
    out.print(f"{path}  {path.stat().st_size / 1e6:.2f} MB", soft_wrap=True)


def doctor(study: StudyFile = SHIPPED) -> None:
    """Describe this machine and test its arithmetic; compare images and weights with those at the start of a study."""
    read = load(study)
    with making() as watch:
        facts = [*verbs.machine_facts(read), ("Arithmetic", verbs.arithmetic_fact(read))]
        problems = verbs.examine(read, watch=watch)
    for heading, fact in facts:
        out.print(f"{heading:<12}{fact}", markup=False, soft_wrap=True)
    if problems:
        raise InputError(read.source, problems)
    out.print("Images and weights are unchanged.")


def clean(study: StudyFile, *, everything: Everything = False) -> None:
    """Delete the decoded images and features of a study; they are made again when they are needed."""
    for part, size in verbs.clean_study(study, everything=everything).items():
        out.print(f"{part:<12}{size / 1e6:,.1f} MB deleted: {verbs.CACHE_PARTS[part]}", markup=False, soft_wrap=True)
