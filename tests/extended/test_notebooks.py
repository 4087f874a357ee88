"""The notebooks of the documentation run from the first cell to the last, in a kernel of their own."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
SECONDS = 1800
"""A cell that trains takes two minutes of two idle cores."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder that has what the notebooks read of a checkout, and none of what a user has written there."""
    shutil.copytree(
        ROOT / "docs" / "notebooks", tmp_path / "docs" / "notebooks", ignore=lambda *_: ["studies", "reports"]
    )
    for folder in ("studies", "reports"):
        shutil.copytree(ROOT / folder / "ablation_sketches", tmp_path / folder / "ablation_sketches")
    shutil.copy(ROOT / "studies" / "ablation_sketches.yaml", tmp_path / "studies")
    shutil.copytree(ROOT / "protocols", tmp_path / "protocols")
    return tmp_path


def run(path: Path, monkeypatch: pytest.MonkeyPatch) -> nbformat.NotebookNode:
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=":")
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    executed: nbformat.NotebookNode = NotebookClient(
        notebook, timeout=SECONDS, startup_timeout=SECONDS, resources=resources
    ).execute()
    return executed


def html(notebook: nbformat.NotebookNode) -> str:
    """What the cells show as HTML."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output.data.get("text/html", "") for output in outputs if "data" in output)


def test_a_first_study_is_shown_while_it_runs_and_at_its_end(checkout, monkeypatch):
    """Two losses of two searches of three trials on four folds, and four seeds of four folds and a complete run."""
    shown = html(run(checkout / "docs" / "notebooks" / "first_study.ipynb", monkeypatch))
    assert shown.count("<td>12 of 12</td>") >= 4
    assert "Nothing is left over." in shown


def test_a_packed_ledger_is_judged_again(checkout, monkeypatch):
    shown = html(run(checkout / "docs" / "notebooks" / "judging_again.ipynb", monkeypatch))
    assert shown.count("<td>undecided</td>") >= 9  # functions beside Eq. 4, in the first table alone


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_without_outputs(path):
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert cells and [cell for cell in cells if cell.outputs or cell.execution_count] == []
