"""The source of a class by address: what is in its digest, and what is not."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

import pytest

from realitycheck.plugin_source import source_of, sources_of

FILES = {
    "lab/__init__.py": "",
    "lab/odd.py": "import torch\nfrom . import parts\nfrom .deep import knots as k\nfrom lab.sub.far import *\n",
    "lab/parts.py": "def late():\n    import importlib\n    return importlib.import_module('flat')\n",
    "lab/deep/__init__.py": "from .. import above\n",
    "lab/deep/knots.py": "",
    "lab/above.py": "",
    "lab/sub/far.py": "",
    "flat.py": "",
}
"""What `lab.odd` imports, directly or not; `lab/sub` is a package without an `__init__.py`."""


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name, text in {**FILES, "lab/unused.py": "", "other.py": ""}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", FILES)
def test_an_edit_of_what_a_module_imports_is_another_source(home, name):
    before = source_of("lab.odd:Odd")
    path = home / name
    path.write_text(path.read_text() + "# edited\n")
    assert source_of("lab.odd:Odd") != before


@pytest.mark.parametrize("name", ["lab/unused.py", "other.py"])
def test_an_edit_of_another_file_is_none(home, name):
    before = source_of("lab.odd:Odd")
    (home / name).write_text("x = 1\n")
    assert source_of("lab.odd:Odd") == before


def test_a_source_is_the_same_wherever_its_folder_is(home, tmp_path_factory, monkeypatch):
    before = source_of("lab.odd:Odd")
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "moved"
    home.rename(elsewhere)
    monkeypatch.syspath_prepend(elsewhere)
    assert source_of("lab.odd:Odd") == before


def test_nothing_is_imported(home):
    (home / "lab" / "__init__.py").write_text("raise SystemExit('imported')\n")
    code = f"import sys; sys.path.insert(0, {str(home)!r}); from realitycheck.plugin_source import source_of; "
    code += "assert len(source_of('lab.odd:Odd')) == 64; sys.exit('torch' in sys.modules or 'lab' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_installed_package_is_its_name_and_version():
    version = metadata.version("pytorch-metric-learning")
    assert source_of("pytorch_metric_learning.losses:CircleLoss") == f"pytorch-metric-learning=={version}"
    assert source_of("PIL.Image:Image") == f"pillow=={metadata.version('pillow')}"


def test_the_version_of_an_installed_package_that_a_file_imports_is_in_its_digest(home, monkeypatch):
    (home / "other.py").write_text("from pytorch_metric_learning.losses import CircleLoss\nimport torch\n")
    before = source_of("other:Mine")
    monkeypatch.setattr(metadata.Distribution, "version", property(lambda self: f"0 of {self.name}"))
    changed = source_of("other:Mine")
    assert changed != before
    (home / "other.py").write_text("import torch\n")
    plain = source_of("other:Mine")
    monkeypatch.undo()
    monkeypatch.syspath_prepend(home)
    assert source_of("other:Mine") == plain  # what this package requires is not in it


@pytest.mark.parametrize(
    "name", ["contrastive", "realitycheck.losses.members.triplet:Triplet", "random:Random", "no_such_module:Loss"]
)
def test_what_ships_here_and_what_cannot_be_found_has_none(name):
    assert sources_of(name) == {}


def test_a_file_that_is_no_python_still_has_a_source(home):
    (home / "other.py").write_text("def (:\n")
    assert len(source_of("other:Mine")) == 64
