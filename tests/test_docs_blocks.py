"""The Python blocks of the docs run as they are printed; only names of places are those of the test."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import optuna
import pytest
import torch
from small_study import FINISHED, FINISHED_PROTOCOL, write_study
from torch import nn

from realitycheck import verbs
from realitycheck.trunks.base import Trunk
from realitycheck.trunks.convention import IMAGENET, Normalise

sys.path.insert(0, str(Path(__file__).parent / "datasets"))
from layouts import LAYOUTS

DOCS = Path(__file__).parents[1] / "docs"


def blocks(page: str) -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.M)


def block(page: str, word: str) -> str:
    (only,) = [one for one in blocks(page) if word in one]
    return only


def test_every_block_is_run_by_a_test():
    """Two of extending.md by tests/executors, those of the README by test_readme.py, and all others here."""
    pages = {path.name: len(blocks(path.name)) for path in DOCS.glob("*.md") if blocks(path.name)}
    assert pages == {"commands.md": 1, "datasets.md": 3, "extending.md": 5, "quickstart.md": 2, "trunks.md": 1}


def test_an_archive_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile("img.zip", "w") as archive:
        archive.writestr("img/a.jpg", b"x")
    target = tmp_path / "Img"
    exec(block("datasets.md", "extract(").replace("/data/inshop/Img", str(target)), {})
    assert [path.name for path in target.rglob("*.jpg")] == ["a.jpg"]


def test_a_split_is_exported(tmp_path):
    """With four classes in place of 200: the official layout checks its number of images."""
    root = LAYOUTS["cub200"].write(tmp_path)
    code = block("datasets.md", "export_split(").replace("/data/CUB_200_2011", str(root))
    code = code.replace("realitycheck.datasets.members.cub200 import Cub200", "layouts import SmallCub as Cub200")
    exec(code.replace("range(100)", "range(2)").replace("range(100, 200)", "range(2, 4)"), {})
    rows = (root / "halves.csv").read_text().splitlines()
    assert len(rows) == 1 + len(LAYOUTS["cub200"].labels)


def test_pairs_are_judged():
    rng = np.random.default_rng(0)
    same = np.arange(200) % 2 == 0
    given = {"distances": rng.normal(np.where(same, 0.0, 3.0), 0.5), "same": same, "folds": np.arange(200) // 20}
    exec(block("datasets.md", "cross_validated_accuracy("), given)
    assert given["accuracy"] > 0.95
    assert given["rates"][0] < 0.05


def test_a_trunk_of_ones_own():
    names = {"Trunk": Trunk, "Normalise": Normalise, "IMAGENET": IMAGENET, "Tensor": torch.Tensor, "nn": nn}
    exec(block("trunks.md", "class Wide").replace("self.layers = ...", "self.layers = nn.Conv2d(3, 512, 2, 2)"), names)
    trunk = names["Wide"](in_channels=3)
    assert trunk(torch.rand(2, 3, 8, 6)).shape == (2, 512, 4, 3)
    trunk.load({"weight": torch.zeros(512, 3, 2, 2), "bias": torch.ones(512), "fc.weight": torch.zeros(1)})
    assert trunk(torch.rand(1, 3, 4, 4)).unique().tolist() == [1.0]


@pytest.mark.parametrize("page", ["commands.md", "quickstart.md"])
def test_an_exported_model_embeds_images(page, finished, tmp_path, monkeypatch):
    shutil.copytree(finished.parents[1], tmp_path / "home")
    monkeypatch.chdir(tmp_path)
    study = tmp_path / "home" / "studies" / finished.name
    _, model = verbs.export_study(study, best=tmp_path / "best", loss="contrastive")
    code = block(page, "load_model")
    place = Path(re.search(r'load_model\("([^"]+)"\)', code)[1])
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(model, place)
    given = {"images": torch.randint(256, (2, 3, 28, 28), dtype=torch.uint8)}
    exec(code, given)
    assert given["embeddings"].shape == (2, 16)


def test_the_script_of_the_quickstart(tmp_path):
    """In a process of its own, as a user starts it: its trainings are child processes that import it."""
    path = write_study(tmp_path, protocol=FINISHED_PROTOCOL, study=FINISHED.replace("study: small", "study: photos"))
    path.rename(path.with_name("photos.yaml"))
    (tmp_path / "script.py").write_text(block("quickstart.md", "run_study"))
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[0]) > 0
    assert (tmp_path / "reports" / "photos" / "index.html").exists()


def test_a_loss_of_ones_own_keeps_its_contract(tmp_path):
    (tmp_path / "my_lab").mkdir()
    (tmp_path / "my_lab" / "losses.py").write_text(block("extending.md", "class Pull"))
    (tmp_path / "test_pull.py").write_text(block("extending.md", "class TestPull"))
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_pull.py"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_a_sampler_of_ones_own_proposes(tmp_path):
    given: dict[str, object] = {}
    exec(block("extending.md", "def brute_force"), given)
    study = optuna.create_study(sampler=given["brute_force"](SimpleNamespace(seed=3)))
    study.optimize(lambda trial: float(trial.suggest_int("x", 0, 3)), n_trials=10)
    assert sorted(trial.params["x"] for trial in study.trials) == [0, 1, 2, 3]
