"""The executor of docs/extending.md keeps the contract, as it is printed there."""

from __future__ import annotations

import os
import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

from realitycheck.testing import ExecutorContract

PAGE = Path(__file__).parents[2] / "docs" / "extending.md"


def documented(name: str) -> str:
    """The block of the page that begins with this file's name."""
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    (block,) = [block for block in blocks if block.startswith(f"# {name}\n")]
    return block


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with the files of the page, on the import path of this process and of others."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "my_lab").mkdir()
    for name in ("my_lab/by_command.py", "test_by_command.py"):
        (folder / name).write_text(documented(name))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *sys.path]))
        patch.syspath_prepend(str(folder))
        yield folder
    for name in [name for name in sys.modules if name.split(".")[0] in ("my_lab", "test_by_command")]:
        del sys.modules[name]


class TestDocumented(ExecutorContract):
    @pytest.fixture(autouse=True)
    def _test_of_the_page(self, home):
        self.test = import_module("test_by_command").TestCommandExecutor()

    def make(self, *, deadline):
        return self.test.make(deadline=deadline)


def test_it_is_short():
    lines = documented("my_lab/by_command.py").splitlines()
    assert 40 <= len([line for line in lines if line.strip()]) <= 70
