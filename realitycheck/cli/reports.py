"""The command `report`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from realitycheck import verbs
from realitycheck.cli.arguments import Compare, Images, StudyFiles
from realitycheck.cli.progress import out
from realitycheck.cli.result_lines import print_warnings


def report(
    studies: StudyFiles,
    compare: Compare = False,  # noqa: FBT002 - typer makes an option of it
    images: Images = False,  # noqa: FBT002
) -> None:
    """Rebuild a study's page, tables and figures from its ledger; with --compare, put several on one page."""
    if compare:
        _print_files(verbs.compare_studies(studies))
        return
    for study in map(Path, studies):
        _report(study)
        if images:
            out.print(f"images  {verbs.report_images(study)[-1]}", soft_wrap=True)


def _report(study: Path) -> None:
    done = verbs.report_with_changes(study)
    written = {path.name: path for path in done.written}
    if study.exists():  # a packed ledger holds the texts of files that are gone
        read = verbs.open_study(study)
        print_warnings(read, verbs.changed_sources(read))
    if done.changed:
        changed = ", ".join(done.changed)
        says = f"{changed}: not as in the packed ledger, which was reported. `pack` again to use the files."
        out.print(says, style="yellow", markup=False, soft_wrap=True)
    for dataset in json.loads(written["tables.json"].read_text(encoding="utf-8"))["datasets"]:
        out.print(f"{dataset['dataset']}: {dataset['answer']}", markup=False, soft_wrap=True)
    _print_files(list(written.values()))


def _print_files(paths: Sequence[Path]) -> None:
    page = next(path for path in paths if path.name == "index.html")
    names = (str(path.relative_to(page.parent)) for path in paths if path != page)
    out.print(f"page    {page}", soft_wrap=True)
    out.print(f"and     {', '.join(names)}", soft_wrap=True)
