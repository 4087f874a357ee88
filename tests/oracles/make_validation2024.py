"""Ask the code of DeMoor and Prevost (2024) what a few of its steps are, for tests/protocol/test_validation2024.py.

Run by hand, with a copy of the repository mdemoor226/Realigned-Softmax-Warping and an environment that has torch and
torchvision, and never by the tests:

    python tests/oracles/make_validation2024.py path/to/Image-Retrieval > tests/oracles/validation2024.json

Loss and configuration are theirs. The steps are those of `Trainer.train` in their train.py, on features in place of
images: behind the pooling, their model is a LayerNorm without affine part and a linear layer.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from torch import nn

FOLDER = Path(sys.argv[1])
sys.path.insert(0, str(FOLDER))

from Model import WarpLoss  # noqa: E402 - theirs

CLASSES, DIMS, FEATURES, IMAGES = 5, 4, 6, 10
STEPS = {"normal": 3, "followup": 2}


def configuration():
    """config.json, its strings as the values that the authors' `load_config` makes of them."""

    def plain(value):
        if isinstance(value, dict):
            return {key: plain(each) for key, each in value.items()}
        return [plain(each) for each in value] if isinstance(value, list) else json.loads(value.lower())

    return plain(json.loads((FOLDER / "config.json").read_text()))


def rounded(*shape, scale=1.0, seed=0):
    drawn = scale * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    return [[round(float(value), 3) for value in row] for row in drawn]


def case(dataset, temperature=None):
    """Five steps: three of the first phase, two of the second. With a high temperature gradients are clipped."""
    whole = configuration()
    cfg = whole[dataset]
    cfg["temp"] = temperature or cfg["temp"]
    features = [rounded(IMAGES, FEATURES, seed=step) for step in range(sum(STEPS.values()))]
    labels = [index % CLASSES for index in range(IMAGES)]
    weight, proxies = rounded(DIMS, FEATURES, scale=20.0, seed=100), rounded(CLASSES, DIMS, seed=101)
    model = nn.Sequential(nn.LayerNorm(FEATURES, elementwise_affine=False), nn.Linear(FEATURES, DIMS))
    loss = WarpLoss(whole, dataset, num_classes=CLASSES, margin=cfg["margin"], dimensions=DIMS)
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor(weight))
        model[1].bias.zero_()
        loss.Proxies.copy_(torch.tensor(proxies))
    groups = [
        {"params": list(model.parameters()), "weight_decay": 0.0000001, "lr": cfg["learning_rate"]},
        {"params": list(loss.parameters()), "weight_decay": 0.0000001, "lr": cfg["proxy_learning_rate"]},
    ]
    optimizer = torch.optim.Adam(groups, eps=1.0)
    values, largest = [], {"network": 0.0, "proxies": 0.0}
    for step, batch in enumerate(features):
        if step == STEPS["normal"]:
            loss._UpdateParameters(cfg["followup"])
            optimizer.param_groups[0]["lr"] = cfg["followup"]["learning_rate"]
            optimizer.param_groups[1]["lr"] = cfg["followup"]["proxy_learning_rate"]
        value = loss(model(torch.tensor(batch)), torch.tensor(labels))
        optimizer.zero_grad()
        value.backward()
        largest["network"] = max(largest["network"], max(float(p.grad.abs().max()) for p in model.parameters()))
        largest["proxies"] = max(largest["proxies"], float(loss.Proxies.grad.abs().max()))
        torch.nn.utils.clip_grad_value_(model.parameters(), 10)
        optimizer.step()
        values.append(value.item())
    return {
        "dataset": dataset, "config": cfg, "steps": STEPS, "labels": labels, "features": features,
        "weight": weight, "proxies": proxies, "values": values, "largest_gradient": largest,
        "weight_after": model[1].weight.tolist(), "bias_after": model[1].bias.tolist(),
        "proxies_after": loss.Proxies.tolist(),
    }  # fmt: skip


def main():
    found = {
        "made_by": "tests/oracles/make_validation2024.py",
        "source": "mdemoor226/Realigned-Softmax-Warping, Image-Retrieval/{Model.py,train.py,config.json}",
        "cases": [case("cub"), case("cars"), case("sop"), case("cub", temperature=200.0)],
    }
    sys.stdout.write(json.dumps(found).replace('{"dataset"', '\n{"dataset"') + "\n")


if __name__ == "__main__":
    main()
