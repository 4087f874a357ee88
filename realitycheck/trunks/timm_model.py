"""Any model of timm (PyTorch Image Models), by its name there."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from torch import Tensor, nn

from realitycheck.errors import InputError, Problem
from realitycheck.trunks.base import Trunk
from realitycheck.trunks.convention import Convention, Normalise


class TimmModel(Trunk):
    """A model of timm without its classifier. Nothing is downloaded: weights come through `load`, in timm's names.

    The feature map is `forward_features`: that of the last stage, or the grid of a transformer's patch tokens
    without class and register tokens. Where no grid can be told, or the model normalises behind its own pooling
    (`fc_norm`), the map is its own pooled output with height and width 1, and the recipe's pooling does nothing.
    Other layers behind the pooling, such as ConvNeXt's last LayerNorm, are not used.
    Grey images are repeated to three channels.

    Args:
        model: a name of `timm.list_models()`, with or without the tag of its weights, which chooses mean and std.
        in_channels: of an image, 1 or 3.

    Raises:
        InputError: timm is not installed or has no such model, or images have not the one size that it takes.
    """

    def __init__(self, *, model: str, in_channels: int) -> None:
        super().__init__()
        self.net = _created(model)
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
        """(B, F, h, w) of (B, C, H, W) images in [0, 1]; h and w depend on the model."""
        if self.fixed and images.shape[2:] != (self.side, self.side):
            size = f"{images.shape[2]} x {images.shape[3]}"
            raise _wrong(f"must have images of {self.side} x {self.side} pixels; got {size}. Change the image size.")
        maps: Tensor = self.net.forward_features(self.prepare(images))
        if maps.ndim == 4:
            return maps.permute(0, 3, 1, 2) if getattr(self.net, "output_fmt", "NCHW") == "NHWC" else maps
        return self._from_tokens(maps)

    def renamed(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Under our names, of timm's; without the classifier, whose name timm knows."""
        return {f"net.{key}": tensor for key, tensor in tensors.items() if not key.startswith(self.classifier)}

    def _from_tokens(self, tokens: Tensor) -> Tensor:
        """(B, F, h, w) of (B, tokens, F)."""
        patches = tokens[:, int(getattr(self.net, "num_prefix_tokens", 0)) :]
        height, width = getattr(getattr(self.net, "patch_embed", None), "grid_size", (0, 0))
        pooled_first = not isinstance(getattr(self.net, "fc_norm", None), (nn.Identity, type(None)))
        if patches.ndim == 3 and patches.shape[1] == height * width and not pooled_first:
            return patches.transpose(1, 2).reshape(len(patches), -1, height, width)
        pooled: Tensor = self.net.forward_head(tokens, pre_logits=True)
        return pooled[:, :, None, None]


def _created(model: str) -> Any:
    try:
        timm = import_module("timm")
    except ImportError as error:
        raise _wrong("must have timm, which is not installed. Install it: pip install timm") from error
    if not timm.is_model(model):  # a name of a hub or a folder, too: building it would fetch
        near = ", ".join(timm.list_models(f"{model[:6]}*")[:3]) or "any of timm.list_models()"
        raise _wrong(f"must be a model of timm; got '{model}'. Take for example: {near}.")
    try:
        return timm.create_model(model, pretrained=False, num_classes=0)
    except (RuntimeError, ValueError) as error:
        raise _wrong(f"must be a model that timm can build; got '{model}': {error}. Take another.") from error


def _classifier(config: Mapping[str, Any]) -> tuple[str, ...]:
    named = config.get("classifier") or ()
    names = (named,) if isinstance(named, str) else tuple(named)
    return tuple(f"{name}." for name in names)


def _wrong(says: str) -> InputError:
    return InputError("trunk timm", [Problem(0, "model", says)])
