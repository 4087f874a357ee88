"""A vision transformer of timm (PyTorch Image Models) by its name, pooled to its class token."""

from __future__ import annotations

from torch import Tensor, nn

from realitycheck.errors import InputError
from realitycheck.trunks.timm_model import SOURCE, TimmModel


class TimmClassToken(TimmModel):
    """A vision transformer of timm without its classifier; the class token of its last layer is the feature.

    It is the class token behind the last LayerNorm, the feature with which DINO and DINOv2 are evaluated (Caron et al.,
    2021; Oquab et al., 2024). The recipe's pooling has no effect on it. Position embeddings are interpolated to the
    size of the images, whose sides must be multiples of the model's patch size. Nothing is downloaded; `load` takes
    weights with timm's names. Grey images are repeated to three channels.

    Args:
        model: a name of `timm.list_models()`; an optional tag of weights selects mean and std.
        in_channels: channels of an image, 1 or 3.

    Raises:
        InputError: if timm is not installed or has no such model, if the model has no class token, or none that is
            normalised, or if a side of the images is no multiple of the patch size.
    """

    resized = True
    head = ("mask_token",)  # of the pretraining of DINOv2; timm's own files are without it

    def __init__(self, *, model: str, in_channels: int) -> None:
        super().__init__(model=model, in_channels=in_channels)
        pooled_first = not isinstance(getattr(self.net, "fc_norm", None), (nn.Identity, type(None)))
        if getattr(self.net, "cls_token", None) is None or pooled_first:
            says = f"model '{model}' is not allowed here: it has no normalised class token. Use the trunk `timm`."
            raise InputError.one(SOURCE, "class-token-missing", says, where="model")
        self.patch: tuple[int, int] = self.net.patch_embed.patch_size

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, F, 1, 1) class tokens of (B, C, H, W) images in [0, 1]."""
        if any(side % patch for side, patch in zip(images.shape[2:], self.patch, strict=True)):
            size, patch = (f"{pair[0]} × {pair[1]}" for pair in (images.shape[2:], self.patch))
            says = f"{size} is out of range: sides must be multiples of the model's patches of {patch} pixels. "
            raise InputError.one(SOURCE, "image-size", f"{says}Set `image_size`.", where="model")
        return self.encoded(images)[:, 0, :, None, None]
