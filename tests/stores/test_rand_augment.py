"""RandAugment: every operation is torchvision's, the draws are those of the generator, and a run uses it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.transforms import InterpolationMode, autoaugment

from realitycheck.protocol.read import read_protocol
from realitycheck.protocol.recipe import Augment, Crop, RandAugment
from realitycheck.stores import rand_augment as module
from realitycheck.stores.base import Facts
from realitycheck.stores.pixels import SquareStore, WholeStore

SPACE = autoaugment.RandAugment()._augmentation_space(31, (24, 20))
QUICK = read_protocol(Path(__file__).parents[2] / "protocols" / "quick.yaml").value
RULE = RandAugment(operations=3, magnitude=9)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def images(count=1, channels=3):
    return torch.randint(256, (count, channels, 24, 20), dtype=torch.uint8, generator=generator(1))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("magnitude", [0, 9, 14, 30])
@pytest.mark.parametrize("name", module.NAMES)
def test_an_operation_is_torchvisions(name, magnitude, channels):
    image = images(channels=channels)[0]
    strengths, signed = SPACE[name]
    strength = float(strengths[magnitude]) if strengths.ndim else 0.0
    for sign in (1, -1) if signed else (1,):
        theirs = autoaugment._apply_op(image, name, sign * strength, InterpolationMode.BILINEAR, None)
        assert torch.equal(module.changed_by(image, name=name, magnitude=magnitude, sign=sign), theirs)


def test_an_unsigned_operation_does_not_depend_on_the_sign():
    image = images()[0]
    for name in (name for name, (_, signed) in SPACE.items() if not signed):
        one, other = (module.changed_by(image, name=name, magnitude=9, sign=sign) for sign in (1, -1))
        assert torch.equal(one, other)


def test_the_names_are_torchvisions():
    assert tuple(SPACE) == module.NAMES


def test_every_operation_and_sign_is_drawn_equally_often(monkeypatch):
    drawn = Counter()

    def seen(image, *, name, magnitude, sign):
        drawn[name, sign] += 1
        return image

    monkeypatch.setattr(module, "changed_by", seen)
    module.rand_augment(images(2800), rule=RULE, generator=generator())
    assert set(drawn) == {(name, sign) for name in module.NAMES for sign in (1, -1)}
    # 8,400 draws of 28 kinds: 300 each, of standard deviation 17.
    assert 230 < min(drawn.values()) <= max(drawn.values()) < 370


def test_draws_are_the_generators_alone():
    one, again, other = (module.rand_augment(images(8), rule=RULE, generator=generator(seed)) for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("crop", [None, Crop(scale=(0.3, 1.0), ratio=(0.75, 1.3))])
def test_a_store_changes_what_it_would_draw_without(crop):
    pixels = torch.randint(256, (6, 3, 16, 16), dtype=torch.uint8, generator=generator(2))
    facts = Facts(labels=np.zeros(6, dtype=np.int64), classes=("a",), digest="")
    square = SquareStore(facts, pixels.numpy())
    sizes = np.full((6, 2), 16, dtype=np.int64)
    whole = WholeStore(facts, pixels.permute(0, 2, 3, 1).numpy().ravel(), np.arange(7) * 16 * 16 * 3, sizes)
    rule = Augment(shift=0, flip=0.5, crop=crop, rand_augment=RULE)
    recipe = QUICK.recipe.model_copy(update={"image_size": 16, "augment": rule})
    plain = recipe.model_copy(update={"augment": rule.model_copy(update={"rand_augment": None})})
    indices, cpu = np.arange(6).reshape(2, 3), torch.device("cpu")
    for store in (square, whole):
        draws = [generator(5), generator(6)]
        unchanged = store.drawn_block(indices, recipe=plain, generators=draws, device=cpu)  # and the draws go on
        both = zip(unchanged, draws, strict=True)
        expected = [module.rand_augment(batch, rule=RULE, generator=own) for batch, own in both]
        drawn = store.drawn_block(indices, recipe=recipe, generators=[generator(5), generator(6)], device=cpu)
        assert torch.equal(drawn, torch.stack(expected))
        assert not torch.equal(drawn, unchanged)
