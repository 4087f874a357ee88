"""The menu agrees with the trunks, and reading it imports nothing slow."""

import re
import subprocess
import sys
from importlib import import_module

import pytest

from realitycheck.trunks.base import Trunk
from realitycheck.trunks.menu import MENU

KNOWN = [(name, weights) for name, entry in MENU.items() for weights in entry.weights]


@pytest.mark.parametrize("name", MENU)
def test_every_entry_is_a_trunk(name):
    module, _, class_name = MENU[name].address.partition(":")
    assert issubclass(getattr(import_module(module), class_name), Trunk)


@pytest.mark.parametrize("name", [name for name, entry in MENU.items() if entry.output_dim])
def test_output_dims(name):
    module, _, class_name = MENU[name].address.partition(":")
    assert getattr(import_module(module), class_name)(in_channels=3).output_dim == MENU[name].output_dim


@pytest.mark.parametrize(("name", "weights"), KNOWN)
def test_digests_are_those_of_the_file_names(name, weights):
    """torch writes the first digits of a file's SHA-256 into its name."""
    known = MENU[name].weights[weights]
    assert re.fullmatch("[0-9a-f]{8,64}", known.sha256)
    assert re.search(rf"-{known.sha256[:8]}\w*\.pth$", known.source)


def test_slow_imports_stay_in_their_files():
    """Nothing here imports torch before it must, and only `resnet50` and a built `timm` wait for more than torch."""
    code = """
import sys
import realitycheck.trunks.menu, realitycheck.trunks.weights
assert "torch" not in sys.modules
import realitycheck.trunks.bn_inception, realitycheck.trunks.efficientnet_lite0, realitycheck.trunks.timm_model
assert not {"torchvision", "timm"} & set(sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
