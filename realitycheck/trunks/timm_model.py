"""Any model of timm (PyTorch Image Models) by its name."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar

from torch import Tensor, nn

from realitycheck.errors import InputError
from realitycheck.trunks.base import Trunk
from realitycheck.trunks.convention import Convention, Normalise
from realitycheck.trunks.position_grids import interpolation

SOURCE = "trunk timm"


class TimmModel(Trunk):
    """A model of timm without its classifier. Nothing is downloaded; `load` takes weights with timm's names.

    The feature map is the output of `forward_features`: the map of the last stage, or the grid of a transformer's
    patch tokens without class and register tokens. If there is no grid, or the model normalises after its own pooling
    (`fc_norm`), the map is the model's pooled output with height and width 1. The recipe's pooling then has no effect.
    Other layers after the pooling, such as ConvNeXt's last LayerNorm, are not used.
    Grey images are repeated to three channels.

    Args:
        model: a name of `timm.list_models()`; an optional tag of weights selects mean and std.
        in_channels: channels of an image, 1 or 3.

    Raises:
        InputError: if timm is not installed or has no such model, or if images are not of the model's fixed size.
    """

    resized: ClassVar[bool] = False
    """Whether position embeddings are interpolated to the size of the images."""

    def __init__(self, *, model: str, in_channels: int) -> None:
        super().__init__()
        self.net = _created(model, resized=self.resized)
        config: dict[str, Any] = self.net.pretrained_cfg
        self.output_dim = int(self.net.num_features)
        self.side: int = config["input_size"][-1]
        self.fixed = bool(config.get("fixed_input_size"))
        self.classifier = _classifier(config)
        self.prepare = Normalise(
            Convention(side=self.side, order="RGB", top=1.0, mean=config["mean"], std=config["std"]),
            in_channels=in_channels,
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, F, h, w) maps of (B, C, H, W) images in [0, 1]; h and w depend on the model."""
        if self.fixed and images.shape[2:] != (self.side, self.side):
            size = f"{images.shape[2]} × {images.shape[3]}"
            says = f"{size} is out of range: the model takes {self.side} × {self.side} pixels only. Set `image_size`."
            raise InputError.one(SOURCE, "image-size", says, where="model")
        maps = self.encoded(images)
        if maps.ndim == 4:
            return maps.permute(0, 3, 1, 2) if getattr(self.net, "output_fmt", "NCHW") == "NHWC" else maps
        return self._from_tokens(maps)

    def encoded(self, images: Tensor) -> Tensor:
        """Return the output of timm's `forward_features`, with positions that every device interpolates alike."""
        with interpolation(self.net, images.shape[2:]):
            features: Tensor = self.net.forward_features(self.prepare(images))
        return features

    def renamed(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See `Trunk.renamed`; the names of the public file are timm's."""
        return {f"net.{key}": tensor for key, tensor in tensors.items() if not key.startswith(self.classifier)}

    def _from_tokens(self, tokens: Tensor) -> Tensor:
        """Return (B, F, h, w) maps of (B, tokens, F)."""
        patches = tokens[:, int(getattr(self.net, "num_prefix_tokens", 0)) :]
        height, width = getattr(getattr(self.net, "patch_embed", None), "grid_size", (0, 0))
        pooled_first = not isinstance(getattr(self.net, "fc_norm", None), (nn.Identity, type(None)))
        if patches.ndim == 3 and patches.shape[1] == height * width and not pooled_first:
            return patches.transpose(1, 2).reshape(len(patches), -1, height, width)
        pooled: Tensor = self.net.forward_head(tokens, pre_logits=True)
        return pooled[:, :, None, None]


def _created(model: str, *, resized: bool) -> Any:
    try:
        timm = import_module("timm")
    except ImportError as error:
        says = "timm is not installed. Install it: pip install timm"
        raise InputError.one(SOURCE, "timm-missing", says, where="model") from error
    if not timm.is_model(model):  # also rejects names of a hub or a folder, which timm would download
        near = ", ".join(timm.list_models(f"{model[:6]}*")[:3]) or "a name of timm.list_models()"
        raise InputError.one(
            SOURCE, "model-unknown", f"unknown model '{model}'. Use for example {near}.", where="model"
        )
    options = {"dynamic_img_size": True} if resized else {}
    try:
        return timm.create_model(model, pretrained=False, num_classes=0, **options)
    except (RuntimeError, TypeError, ValueError) as error:
        if isinstance(error, TypeError) and not resized:
            raise
        says = f"timm cannot build the model '{model}': {error}. Use another model."
        raise InputError.one(SOURCE, "model-unbuildable", says, where="model") from error


def _classifier(config: Mapping[str, Any]) -> tuple[str, ...]:
    named = config.get("classifier") or ()
    names = (named,) if isinstance(named, str) else tuple(named)
    return tuple(f"{name}." for name in names)
