"""Losses by name or class, and what is said of wrong knobs."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from realitycheck import losses
from realitycheck.errors import InputError
from realitycheck.losses.base import Loss, initialize
from realitycheck.losses.members.normalized_softmax import NormalizedSoftmax
from realitycheck.losses.menu import MENU
from realitycheck.protocol.knobs import FOLLOWUP, RATES
from realitycheck.protocol.read import read_spaces
from realitycheck.protocol.space import middle

SIZES = {"num_classes": 5, "embedding_dim": 16}
SPACES = max(
    (Path(__file__).parents[2] / "protocols" / "spaces").glob("v[0-9]*.yaml"), key=lambda path: int(path.stem[1:])
)
KNOBS = {
    name: {
        knob: middle(ground) for knob, ground in space.items() if knob not in RATES and not knob.startswith(FOLLOWUP)
    }
    for name, space in read_spaces(SPACES).value.items()
}

PLAIN = [name for name in losses.names() if not MENU[name].wraps]
"""Wrappers apart: they are no losses by themselves."""


def test_every_loss_of_the_menu_has_ranges():
    assert not set(PLAIN) - KNOBS.keys(), f"add their ranges to {SPACES}"


def test_the_menu_is_built_by_name():
    for name in PLAIN:
        assert isinstance(losses.build(name, **SIZES, **KNOBS[name]), Loss)


def test_a_wrapper_is_built_with_the_loss_that_it_wraps():
    """Multi-similarity has a knob `base`, and the wrapper an argument of that name."""
    knobs = KNOBS["cross_batch_memory"] | KNOBS["multi_similarity"]
    wrapped = losses.build("cross_batch_memory(multi_similarity)", **SIZES, **knobs)
    assert wrapped.base.base == KNOBS["multi_similarity"]["base"]
    with pytest.raises(InputError, match="base"):
        losses.build("cross_batch_memory(contrastive)", **SIZES, **knobs)


def test_no_knob_has_a_default():
    for name in PLAIN:
        for left_out in KNOBS[name]:
            rest = {knob: value for knob, value in KNOBS[name].items() if knob != left_out}
            with pytest.raises(InputError, match=left_out):
                losses.build(name, **SIZES, **rest)


def test_the_menu_does_not_wait_for_torch():
    code = "import sys; from realitycheck import losses; losses.names(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_sizes_go_to_those_that_ask():
    assert losses.build("normalized_softmax", **SIZES, temperature=0.1).proxies.shape == (5, 16)


def test_wrong_names_are_named():
    with pytest.raises(InputError, match="pos_margn"):
        losses.build("contrastive", **SIZES, pos_margn=0.1, neg_margin=1.0)
    with pytest.raises(InputError, match="contrastiv"):
        losses.build("contrastiv", **SIZES)


@pytest.mark.parametrize(("rule", "norm"), [("standard_normal", 10_000**0.5), ("unit_norm", 1.0)])
def test_initialize(rule, norm):
    """A row of 10,000 standard normal entries has norm 100, within half a percent or so."""
    loss = NormalizedSoftmax(temperature=1.0, num_classes=4, embedding_dim=10_000)
    initialize(loss, rule=rule, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(loss.proxies.norm(dim=1), torch.full((4,), norm), rtol=0.04, atol=1e-5)
    once = loss.proxies.detach().clone()
    initialize(loss, rule=rule, generator=torch.Generator().manual_seed(0))
    assert torch.equal(loss.proxies, once)
