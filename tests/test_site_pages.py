"""Pages of the site: all are listed, what they quote is true, and what they call exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer.main
import yaml

from realitycheck.cli.main import app

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = {path.name: path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]}
READING = PAGES["reading_a_report.md"]
COMMANDS = typer.main.get_command(app).commands


def test_every_page_is_listed_once():
    listed = re.findall(r"^- \[[^\]]+\]\(([^)]+\.md)\)", PAGES["index.md"], flags=re.MULTILINE)
    folders = {"decisions/README.md", "measured/README.md", "notebooks/README.md", "../README.md", "../CHANGELOG.md"}
    assert sorted(listed) == sorted({*PAGES, *folders} - {"README.md", "index.md"})


def test_every_section_of_a_report_is_explained():
    """Headings of datasets are their names, and one heading names the baseline."""
    explained = set(re.findall(r"^##+ (.*)$", READING, flags=re.MULTILINE))
    for path in ROOT.glob("reports/*/tables.md"):
        if path.parent.name.startswith("published_"):
            continue
        text = path.read_text(encoding="utf-8")
        parts = re.split(r"^## .*\n\n- \*\*Trainval half", text, flags=re.MULTILINE)
        names = set(re.findall(r"^### (.*)$", text, flags=re.MULTILINE))
        names |= set(re.findall(r"^## (.*)$", parts[-1], flags=re.MULTILINE))
        assert {name for name in names if not name.startswith("Against ")} - explained == set(), path


@pytest.mark.parametrize("page", ["reading_a_report.md", "plain_statistics.md"])
def test_quoted_numbers_are_those_of_the_pages_that_they_are_from(page):
    sources = [ROOT / "reports/grocery_frozen/tables.md", DOCS / "searches.md", ROOT / "README.md"]
    known = set(re.findall(r"\d+\.\d+", " ".join(path.read_text(encoding="utf-8") for path in sources)))
    assert set(re.findall(r"\d+\.\d\d+", PAGES[page])) - known == set()


def protocol_cells(name):
    """What the table of protocols says of one, from its file."""
    data = yaml.safe_load((ROOT / "protocols" / f"{name}.yaml").read_text(encoding="utf-8"))
    recipe, search, folds = data["recipe"], data["search"], data["folds"]
    return {
        "trunk": recipe["trunk"]["name"],
        "trunk trains": "no" if recipe["trunk"].get("frozen") else "yes",
        "pixels": str(recipe["image_size"]),
        "folds": f"{folds['count']} {folds['kind']}",
        "embedding": str(data["embedding_dim"]),
        "phases": str(len(data["phases"])),
        "sampler": search["sampler"],
        "searches": str(search.get("searches", 1)),
        "trials": str(search["trials"]),
        "shared rates searched": "yes" if search["shared"] else "no",
        "seeds": str(data["final"]["seeds"]),
        "ensemble": "yes" if "ensemble" in data["categories"] else "no",
        "complete": "yes" if "complete" in data["categories"] else "no",
        "interval": data["interval"]["method"],
        "arithmetic": recipe["arithmetic"],
    }


def test_the_table_of_protocols_is_that_of_their_files():
    lines = PAGES["protocols_compared.md"].split("## What they do")[1].strip().splitlines()
    head, _, *rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines[:17]]
    for place, name in enumerate(head[1:], start=1):
        assert {row[0]: row[place] for row in rows} == protocol_cells(name), name


def blocks(language):
    """Page and text of every block of code in a language."""
    found = [(page, re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.M)) for page, text in PAGES.items()]
    return [(page, block) for page, texts in found for block in texts]


def test_every_block_of_python_can_be_compiled():
    assert len([compile(block, page, "exec") for page, block in blocks("python")]) > 10


def test_every_command_in_a_block_can_be_read():
    """Also in pages other than that of the commands, and behind `srun` and the like."""
    read = 0
    for page, block in [*blocks(""), *blocks("bash")]:
        for line in re.findall(r"^(?:    )?(?:\.venv/bin/)?realitycheck +([a-z]+ .*)$", block, flags=re.MULTILINE):
            name, *words = shlex.split(line, comments=True)
            words = ["studies/x.yaml" if word == "STUDY" else word for word in words]
            assert name in COMMANDS, f"{page}: {line}"
            COMMANDS[name].make_context(name, words)
            read += 1
    assert read > 20
