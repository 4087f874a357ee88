"""The recipe of a protocol: trunk, images and augmentation."""

from __future__ import annotations

from collections.abc import Sequence

from realitycheck.check.rules.base import Found, not_allowed, out_of_range, rule
from realitycheck.check.rules.study_rules import known_name
from realitycheck.datasets.menu import MENU as DATASETS
from realitycheck.protocol.document import Fault
from realitycheck.protocol.recipe import Crop, Optimizer, RandAugment, Recipe
from realitycheck.protocol.space import Range
from realitycheck.runs import Category
from realitycheck.trunks.menu import MENU as TRUNKS

FIXED_VIEWS = "the trunk is frozen: its features are computed once for each image"


@rule("protocol.recipe.trunk.name")
@rule("protocol.on.<other>.trunk.name")
def trunk_is_known(name: str) -> Found:
    """A trunk is on the menu, or an address."""
    yield from known_name("trunk", name, TRUNKS)


@rule("keys(protocol.on.<other>)", name="<other>")
def other_dataset_is_known(_: object, *, name: str) -> Found:
    """What differs on a dataset is below a dataset of the menu."""
    yield from known_name("dataset", name, DATASETS)


@rule("protocol.recipe.trunk.weights.source", written="keys(protocol.recipe.trunk.weights)")
@rule("protocol.on.<other>.trunk.weights.source", written="keys(protocol.on.<other>.trunk.weights)")
def weights_have_a_source(source: str | None, *, written: tuple[str, ...]) -> Found:
    """Weights can be found."""
    if written and source is None:
        says = "missing key; add `source: …`, a path, an address, or `package:<import name>/<path>`."
        yield Fault("weights-source-missing", says)


@rule("protocol.recipe.optimizers.<part>.eps", name="protocol.recipe.optimizers.<part>.name")
def epsilon_is_used(eps: float, *, name: str) -> Found:
    """An optimiser without a mean of squared gradients has no epsilon."""
    if name == "sgd" and eps != Optimizer.model_fields["eps"].default:
        yield not_allowed("epsilon-not-allowed", "`eps`", "SGD has no epsilon", "Remove it.")


@rule("protocol.recipe.resize", size="protocol.recipe.image_size")
@rule("protocol@<dataset>.recipe.resize", size="protocol@<dataset>.recipe.image_size")
def images_are_large_enough(resize: int | None, *, size: int) -> Found:
    """A crop fits into the kept image."""
    if resize is not None and resize < size:
        yield out_of_range("resize-range", resize, f"be at least image_size, {size}")


@rule("protocol.recipe.fit", resize="protocol.recipe.resize")
@rule("protocol@<dataset>.recipe.fit", resize="protocol@<dataset>.recipe.resize")
def only_squares_are_stretched(fit: str, *, resize: int | None) -> Found:
    """Whole images keep their shape."""
    if fit != "crop" and resize is not None:
        because = "`resize` keeps whole images, from which crops are cut"
        yield not_allowed("fit-resize", f"'{fit}'", because, "Remove `fit` or `resize`.")


@rule("protocol.recipe.embedder_init", frozen="protocol.recipe.trunk.frozen")
@rule("protocol@<dataset>.recipe.embedder_init", frozen="protocol@<dataset>.recipe.trunk.frozen")
def something_trains(embedder_init: str, *, frozen: bool) -> Found:
    """A frozen trunk needs an embedder."""
    if frozen and embedder_init == "no_embedder":
        because = "the trunk is frozen, and without an embedder no weight would train"
        yield not_allowed("no-embedder-frozen", f"'{embedder_init}'", because, "Choose another initialisation.")


@rule("protocol.recipe.embedder_init", count="protocol.folds.count", categories="protocol.categories")
def one_model_without_embedder(embedder_init: str, *, count: int, categories: Sequence[Category]) -> Found:
    """A complete model has K·D dimensions, and without an embedder those of its trunk."""
    if embedder_init == "no_embedder" and count > 1 and Category.COMPLETE in categories:
        because = f"the category `complete` needs an embedding of {count} times the dimensions of a fold's model"
        yield not_allowed("no-embedder-complete", f"'{embedder_init}'", because, "Remove that category.")


@rule("protocol.search.shared.embedder_lr", embedder_init="protocol.recipe.embedder_init")
def no_rate_without_embedder(_: Range, *, embedder_init: str) -> Found:
    """Without an embedder its rate cannot be searched."""
    if embedder_init == "no_embedder":
        yield not_allowed("no-embedder-rate", "`embedder_lr`", "there is no embedder", "Remove it.")


@rule("protocol.embedding_dim", recipe="protocol.recipe")
@rule("protocol.embedding_dim", recipe="protocol@<dataset>.recipe")
def as_wide_as_its_trunk(dims: int, *, recipe: Recipe) -> Found:
    """Without an embedder the embedding is the trunk's feature."""
    known = TRUNKS.get(recipe.trunk.name)
    width = known.output_dim if known else None
    if recipe.embedder_init == "no_embedder" and width not in (None, dims):
        must = f"be {width}, the features of {recipe.trunk.name}: there is no embedder"
        yield out_of_range("embedding-dim-trunk", dims, must)


@rule("protocol.recipe.augment.shift", crop="protocol.recipe.augment.crop", resize="protocol.recipe.resize")
def crops_are_not_shifted(shift: int, *, crop: Crop | None, resize: int | None) -> Found:
    """A random crop needs no shift."""
    if shift and (crop is not None or resize is not None):
        yield out_of_range("shift-range", shift, "be 0 where `crop` or `resize` is given")


@rule("protocol.recipe.augment.crop.scale")
@rule("protocol.recipe.augment.crop.ratio")
def crop_bounds_in_order(bounds: tuple[float, float]) -> Found:
    """Low comes before high."""
    low, high = bounds
    if low > high:
        yield out_of_range("range-reversed", f"[{low:g}, {high:g}]", "be [low, high]", fix="Swap the bounds.")


@rule("protocol.recipe.augment.crop.scale")
def crop_within_the_image(scale: tuple[float, float]) -> Found:
    """A crop is not larger than its image."""
    if scale[1] > 1:
        yield out_of_range("crop-range", f"{scale[1]:g}", "be at most 1, the whole image")


@rule("protocol.recipe.augment.crop", frozen="protocol.recipe.trunk.frozen")
@rule("protocol@<dataset>.recipe.augment.crop", frozen="protocol@<dataset>.recipe.trunk.frozen")
def frozen_without_crops(crop: Crop | None, *, frozen: bool) -> Found:
    """A frozen trunk sees no random crops."""
    if frozen and crop is not None:
        yield not_allowed("frozen-augmentation", "`crop`", FIXED_VIEWS, "Remove it.")


@rule("protocol.recipe.augment.rand_augment", frozen="protocol.recipe.trunk.frozen")
@rule("protocol@<dataset>.recipe.augment.rand_augment", frozen="protocol@<dataset>.recipe.trunk.frozen")
def frozen_without_operations(augment: RandAugment | None, *, frozen: bool) -> Found:
    """A frozen trunk sees no changed images."""
    if frozen and augment is not None:
        yield not_allowed("frozen-augmentation", "`rand_augment`", FIXED_VIEWS, "Remove it.")


@rule("protocol.recipe.augment.shift", frozen="protocol.recipe.trunk.frozen")
@rule("protocol@<dataset>.recipe.augment.shift", frozen="protocol@<dataset>.recipe.trunk.frozen")
def frozen_without_shifts(shift: int, *, frozen: bool) -> Found:
    """A frozen trunk sees no shifted images."""
    if frozen and shift:
        yield not_allowed("frozen-augmentation", f"`shift: {shift}`", FIXED_VIEWS, "Set it to 0.")


@rule("protocol.recipe.batch_norm", frozen="protocol.recipe.trunk.frozen")
@rule("protocol@<dataset>.recipe.batch_norm", frozen="protocol@<dataset>.recipe.trunk.frozen")
def frozen_batch_norm(batch_norm: str, *, frozen: bool) -> Found:
    """BatchNorm is frozen with its trunk."""
    if frozen and batch_norm != "frozen":
        yield not_allowed("frozen-batch-norm", f"'{batch_norm}'", "the trunk is frozen", "Set it to `frozen`.")


@rule("protocol.search.shared.trunk_lr", frozen="protocol.recipe.trunk.frozen")
@rule("protocol.search.shared.trunk_lr", frozen="protocol@<dataset>.recipe.trunk.frozen")
def frozen_without_rate(_: Range, *, frozen: bool) -> Found:
    """A frozen trunk has no rate to search."""
    if frozen:
        yield not_allowed("frozen-rate", "`trunk_lr`", "the trunk is frozen", "Remove it.")
