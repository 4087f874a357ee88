"""Thumbnails of queries and neighbours: from the data, into an ignored folder, and never of another image."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realitycheck import verbs
from realitycheck.errors import InputError


@pytest.fixture
def home(finished: Path, tmp_path: Path) -> Path:
    """The study's file in a copy of its home with the data, without caches."""
    ignored = shutil.ignore_patterns("cache", "attempts", "ledger")
    shutil.copytree(finished.parents[1], tmp_path / "home", ignore=ignored)
    return tmp_path / "home" / "studies" / finished.name


def stored(study: Path) -> tuple[list[dict], list[dict]]:
    """Queries and rows of `tables.json`."""
    verbs.report_study(study)
    tables = json.loads((study.parents[1] / "reports" / study.stem / "tables.json").read_text())
    facts = tables["datasets"][0]["neighbors"]
    return facts["queries"], facts["rows"]


def test_every_stored_image_is_drawn_from_its_file(home):
    queries, rows = stored(home)
    page = verbs.report_images(home)[-1]
    assert page == home.parents[1] / "reports" / "small" / "images" / "index.html"
    sources = re.findall(r'<img src="data:image/jpeg;base64,([^"]*)" alt="([^"]*)"', page.read_text())
    assert len(sources) == sum(1 + sum(len(row["nearest"][place]) for row in rows) for place in range(len(queries)))
    encoded, title = sources[0]
    assert title == f"Query: {queries[0]['class_name']}"
    drawn = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB"), dtype=float)
    file = Image.open(home.parents[1] / "pictures" / queries[0]["name"]).convert("RGB").resize(drawn.shape[1::-1])
    assert np.abs(drawn - np.asarray(file, dtype=float)).mean() < 20
    rights = [image["right"] for row in rows for images in row["nearest"] for image in images]
    assert page.read_text().count('class="frame right"') == sum(rights)
    assert page.read_text().count('class="frame wrong"') == len(rights) - sum(rights)


def test_git_ignores_the_folder(home):
    page = verbs.report_images(home)[-1]
    root = home.parents[1]
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    listed = subprocess.run(
        ["git", "-C", str(root), "status", "-s", "-uall"], capture_output=True, text=True, check=True
    )
    assert page.exists()
    assert "images/" not in listed.stdout.replace("pictures/", "")


def test_another_file_is_refused(home):
    queries, _ = stored(home)
    file = home.parents[1] / "pictures" / queries[0]["name"]
    Image.new("RGB", (40, 40)).save(file)
    with pytest.raises(InputError) as refused:
        verbs.report_images(home)
    assert [problem.code for problem in refused.value.problems] == ["image-differs"]
    assert queries[0]["name"] in refused.value.problems[0].where
    assert not (home.parents[1] / "reports" / "small" / "images").exists()


def test_missing_data_are_refused(home):
    shutil.rmtree(home.parents[1] / "pictures")
    with pytest.raises(InputError) as refused:
        verbs.report_images(home)
    assert all(problem.code for problem in refused.value.problems)


def test_without_stored_neighbours_there_is_nothing_to_draw(home):
    (home.with_suffix("") / "ledger.jsonl.gz").unlink()
    with pytest.raises(InputError) as refused:
        verbs.report_images(home)
    assert [problem.code for problem in refused.value.problems] == ["neighbors-missing"]
