"""The wheel, unpacked outside of any checkout: protocols, ranges and studies come with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hatchling.builders.wheel import WheelBuilder
from pictures import write_pictures

ROOT = Path(__file__).parents[1]

SHIPPED = {
    path.relative_to(ROOT).as_posix()
    for pattern in ("protocols/**/*.yaml", "studies/*.yaml")
    for path in ROOT.glob(pattern)
}

STUDY = """
study: photos
question: Do the parts fit together?
protocol: quick
override:
  folds.count: 2
  batches: {pairs: {classes: 4, per_class: 2}, proxies: {classes: 4, per_class: 1}}
  phases: [{name: normal, cap: 2, evaluate_every: 1, patience: 1}]
  search.searches: 1
  search.trials: 1
  search.startup_trials: 1
  final.seeds: 2
  interval: {method: student_t, level: 0.95}
datasets: {photos: {dataset: folder, root: ../photos}}
losses: {contrastive: {}, normalized_softmax: {}}
baseline: contrastive
primary: {category: complete, metric: map_at_r}
smallest_difference: 0.5
"""

CHECK = """
import json
import realitycheck
from realitycheck import verbs

if __name__ == "__main__":
    read, demo = verbs.check_study("studies/photos.yaml"), verbs.open_study("studies/demo.yaml")
    facts = {
        "package": realitycheck.__file__, "version": realitycheck.__version__, "shipped": read.files.shipped,
        "demo": demo.files.shipped, "texts": demo.texts(),
    }
    print(json.dumps(facts))
"""


def build(folder: Path) -> Path:
    """Build the wheel by its backend and unpack it; the folder to import from."""
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(folder / "dist"), versions=["standard"])
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def facts_outside(unpacked: Path, home: Path, script: str) -> dict[str, Any]:
    """What a script prints as JSON that runs in a home without protocols, on the unpacked package."""
    write_pictures(home / "photos", classes=17, each=4)
    (home / "studies").mkdir()
    (home / "studies" / "photos.yaml").write_text(STUDY)
    (home / "script.py").write_text(script)
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=home, env=environment, capture_output=True, text=True, check=True
    )
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("installed"))


def test_the_wheel_carries_the_files_of_a_home(unpacked):
    below = unpacked / "realitycheck" / "shipped_files"
    assert {path.relative_to(below).as_posix() for path in below.rglob("*") if path.is_file()} == SHIPPED
    assert {"protocols/spaces/v3.yaml", "protocols/quick.yaml", "studies/demo.yaml"} <= SHIPPED


def test_an_editable_install_has_no_copies(tmp_path):
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["editable"])
    names = zipfile.ZipFile(wheel).namelist()
    assert "_editable_impl_realitycheck.pth" in names
    assert not [name for name in names if name.endswith(".yaml")]


def test_a_study_is_checked_outside_a_checkout(unpacked, tmp_path):
    """tests/extended/test_installed_study.py also plans, runs and reports it."""
    facts = facts_outside(unpacked, tmp_path, CHECK)
    assert Path(facts["package"]).parents[1] == unpacked
    assert facts["version"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert facts["shipped"] == ["protocols/quick.yaml", "protocols/spaces/v3.yaml"]
    assert facts["demo"] == ["studies/demo.yaml", "protocols/quick.yaml", "protocols/spaces/v3.yaml"]
    assert facts["texts"] == {name: (ROOT / name).read_text() for name in facts["demo"]}
