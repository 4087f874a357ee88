"""Photographs that scikit-image ships, as a classifier of ImageNet wants them."""

import pytest
import torch


def photograph(name):
    """(1, 3, 224, 224) in [0, 1]: the middle of it."""
    data = pytest.importorskip("skimage.data")
    image = torch.from_numpy(getattr(data, name)().copy()).permute(2, 0, 1)[None].float() / 255
    side = min(image.shape[2:])
    top, left = ((length - side) // 2 for length in image.shape[2:])
    cut = image[:, :, top : top + side, left : left + side]
    return torch.nn.functional.interpolate(cut, size=(224, 224), mode="bicubic", antialias=True).clamp(0, 1)


def ranked(trunk, photo, weight, bias):
    """The classes from the best, by a classifier (C, F) behind average pooling."""
    with torch.no_grad():
        logits = trunk.eval()(photograph(photo)).mean((2, 3)) @ weight.T + bias
    return logits[0].argsort(descending=True).tolist()
