"""How one model is trained: trunk, images, optimisers. Equal for every loss of a study."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from realitycheck.arithmetic import MENU as ARITHMETIC
from realitycheck.arithmetic import Arithmetic
from realitycheck.protocol.base import Channels, FrozenSection, OneOf, Pixels, Rate, Share, Text

Fit = Literal["crop", "stretch"]
"""What becomes of an image that is no square: its central square is cut, or its sides are resized apart."""


class Weights(FrozenSection):
    """Learned weights of a trunk: where to get them, and the first digits of their file's SHA-256.

    `source` is a path, an address, or `package:<import name>/<path inside>`. The digest is part of an id, the source is
    not.
    """

    source: Text | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")]


class TrunkChoice(FrozenSection):
    """A trunk from the menu.

    `channels` is its width and `model` its variant, where it takes them. With `frozen`, its features are computed once
    for each image (and, where the recipe flips, for its mirror image), and only embedder and loss are trained.
    """

    name: Text
    channels: Channels | None = None
    model: Text | None = None
    weights: Weights | None = None
    frozen: bool = False


class Crop(FrozenSection):
    """A crop of random area and shape, resized to the image size (Szegedy et al., 2015).

    `scale` bounds the share of the image's area, `ratio` width by height, drawn on a log scale.
    """

    scale: Annotated[tuple[Rate, Rate], Field(min_length=2)]
    ratio: Annotated[tuple[Rate, Rate], Field(min_length=2)]


class RandAugment(FrozenSection):
    """RandAugment (Cubuk et al., 2020): how many of torchvision's operations change an image, and how much."""

    operations: Annotated[int, Field(ge=1, le=16)]
    magnitude: Annotated[int, Field(ge=0, le=30)]


class Augment(FrozenSection):
    """Random crops after padding by `shift` pixels of background, and flips with probability `flip`.

    With `crop`, random crops of the whole image instead. With `rand_augment`, random operations on the result.
    """

    options = frozenset({"rand_augment"})

    shift: Annotated[int, Field(ge=0, le=2_048)]
    flip: Share
    crop: Crop | None = None
    rand_augment: RandAugment | None = None


class Optimizer(FrozenSection):
    """One optimiser group. `lr` is null where the rate is a knob of the search.

    `momentum` is Adam's and AdamW's β₁. `eps` is added to the root of the mean squared gradient by RMSprop, Adam and
    AdamW; SGD has none. Fixed for all: RMSprop's α 0.99, Adam's β₂ 0.999; no schedule.
    """

    name: Literal["rmsprop", "adam", "adamw", "sgd"]
    lr: Rate | None
    momentum: Annotated[float, Field(ge=0, lt=1)]
    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    eps: Rate = 1e-8


class Optimizers(FrozenSection):
    """The optimisers of trunk, embedder and loss parameters."""

    trunk: Optimizer
    embedder: Optimizer
    loss: Optimizer


class GradientClip(FrozenSection):
    """Every entry of the gradient of trunk, LayerNorm and embedder is limited to [-value, value] before each step.

    The loss's own parameters are not clipped.
    """

    value: Rate


class Recipe(FrozenSection):
    """How one model is trained; equal for every loss.

    `collapse` is the smallest spread of the validation embeddings (RMS distance of the normalised embeddings
    from their mean, in [0, 1]) that counts as alive; below it the run is DIVERGED.
    `resize` is the shorter side at which whole images are kept; training crops are cut from them, and evaluation uses
    their middle square of `image_size`. Without it, only that square is kept; with `fit: stretch`, the whole image is
    resized to it.
    With `embedder_init: no_embedder` the embedding is the trunk's feature itself.
    `gradient_clip` limits gradients; without it they are as they come.
    `arithmetic` is a class of the menu `realitycheck.arithmetic`: where runs compute, with which precision, and which
    instructions they may use.
    With `unaugmented_distance` the distance to the own class vector is that of all training images as they are.
    """

    options = frozenset({"fit", "unaugmented_distance"})

    image_size: Pixels
    resize: Pixels | None = None
    fit: Fit = "crop"
    trunk: TrunkChoice
    pooling: Literal["avg", "max", "max+avg"]
    layer_norm: Literal["none", "plain", "affine"]
    embedder_init: Literal["fan_in_uniform", "kaiming_fan_out", "no_embedder"]
    loss_init: Literal["standard_normal", "unit_norm", "own", "pml_0_9_92"]
    batch_norm: Literal["train", "freeze_statistics", "frozen"]
    augment: Augment
    optimizers: Optimizers
    gradient_clip: GradientClip | None = None
    arithmetic: Annotated[str, OneOf(tuple(ARITHMETIC))]
    threads: Annotated[int, Field(ge=1, le=1_024)]
    collapse: Share
    unaugmented_distance: bool = False

    @property
    def computes(self) -> Arithmetic:
        """The class of arithmetic of that name."""
        return ARITHMETIC[self.arithmetic]
