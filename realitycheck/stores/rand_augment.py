"""RandAugment (Cubuk et al., CVPR Workshops 2020) as in torchvision, with draws of a given generator."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial

import torch
from torch import Tensor
from torchvision.transforms import InterpolationMode, functional

from realitycheck.protocol.recipe import RandAugment

Operation = Callable[[Tensor, float], Tensor]
"""A (C, H, W) uint8 image and a strength → an image of the same shape."""

BILINEAR = InterpolationMode.BILINEAR

STRONGEST = 30
"""The largest magnitude; torchvision's default of 31 bins begins at 0."""

SHIFT = 150 / 331
"""The largest shift as a share of the image's side: 150 pixels of the 331 of AutoAugment (Cubuk et al., CVPR 2019)."""


def rand_augment(images: Tensor, *, rule: RandAugment, generator: torch.Generator) -> Tensor:
    """Change each image by `rule.operations` operations, drawn with replacement and equal probability.

    What an operation leaves uncovered is black, and it interpolates bilinearly, as with `fill=None` and
    `InterpolationMode.BILINEAR` of torchvision. The draws of a batch do not depend on its images.

    Args:
        images: (B, C, H, W) uint8 on the CPU, of 1 or 3 channels.
        rule: number of operations and their magnitude.
        generator: random generator on the CPU.

    Returns:
        (B, C, H, W) uint8.
    """
    shape = (len(images), rule.operations)
    chosen = torch.randint(len(OPERATIONS), shape, generator=generator).tolist()
    signs = (1 - 2 * torch.randint(2, shape, generator=generator)).tolist()
    drawn = zip(images, chosen, signs, strict=True)
    return torch.stack([_in_turn(image, zip(own, at, strict=True), rule.magnitude) for image, own, at in drawn])


def _in_turn(image: Tensor, operations: Iterable[tuple[int, int]], magnitude: int) -> Tensor:
    """Change an image by operations, given by number and sign."""
    for number, sign in operations:
        image = changed_by(image, name=NAMES[number], magnitude=magnitude, sign=sign)
    return image


def changed_by(image: Tensor, *, name: str, magnitude: int, sign: int) -> Tensor:
    """Change a (C, H, W) uint8 image by one operation of a magnitude from 0 to 30; `sign` is 1 or -1."""
    operation, most = OPERATIONS[name]
    strength = float(torch.linspace(0.0, most, STRONGEST + 1)[magnitude])  # in float32, as torchvision's
    return operation(image, sign * strength)


def _sheared(image: Tensor, strength: float, *, along: int) -> Tensor:
    shear = [0.0, 0.0]
    shear[along] = math.degrees(math.atan(strength))
    changed: Tensor = functional.affine(
        image, angle=0.0, translate=[0, 0], scale=1.0, shear=shear, interpolation=BILINEAR, center=[0, 0]
    )
    return changed


def _shifted(image: Tensor, strength: float, *, along: int) -> Tensor:
    shift = [0, 0]
    shift[along] = int(strength * image.shape[2 - along])
    changed: Tensor = functional.affine(
        image, angle=0.0, translate=shift, scale=1.0, shear=[0.0, 0.0], interpolation=BILINEAR
    )
    return changed


def _rotated(image: Tensor, strength: float) -> Tensor:
    changed: Tensor = functional.rotate(image, strength, interpolation=BILINEAR)
    return changed


def _adjusted(image: Tensor, strength: float, *, by: Callable[[Tensor, float], Tensor]) -> Tensor:
    return by(image, 1.0 + strength)


def _posterized(image: Tensor, strength: float) -> Tensor:
    changed: Tensor = functional.posterize(image, 8 - round(abs(strength)))
    return changed


def _solarized(image: Tensor, strength: float) -> Tensor:
    changed: Tensor = functional.solarize(image, 255 - abs(strength))
    return changed


def _alone(image: Tensor, _: float, *, by: Callable[[Tensor], Tensor]) -> Tensor:
    return by(image)


OPERATIONS: dict[str, tuple[Operation, float]] = {
    "Identity": (lambda image, _: image, 0.0),
    "ShearX": (partial(_sheared, along=0), 0.3),
    "ShearY": (partial(_sheared, along=1), 0.3),
    "TranslateX": (partial(_shifted, along=0), SHIFT),
    "TranslateY": (partial(_shifted, along=1), SHIFT),
    "Rotate": (_rotated, 30.0),
    "Brightness": (partial(_adjusted, by=functional.adjust_brightness), 0.9),
    "Color": (partial(_adjusted, by=functional.adjust_saturation), 0.9),
    "Contrast": (partial(_adjusted, by=functional.adjust_contrast), 0.9),
    "Sharpness": (partial(_adjusted, by=functional.adjust_sharpness), 0.9),
    "Posterize": (_posterized, 4.0),
    "Solarize": (_solarized, 255.0),
    "AutoContrast": (partial(_alone, by=functional.autocontrast), 0.0),
    "Equalize": (partial(_alone, by=functional.equalize), 0.0),
}
"""Name in torchvision → the operation, and its strength at the largest magnitude."""

NAMES = tuple(OPERATIONS)
