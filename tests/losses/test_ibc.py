"""Intra-batch connections: attention over the batch by loops, and what is left without it."""

import math

import pytest
import torch
from few_points import agree
from layers import affine, over_batch, over_features, shaken, smoothed
from member_contracts import NetworkContract
from proxy_cases import SIZES
from torch.nn import functional

from realitycheck.losses.members.ibc import IBC
from realitycheck.losses.parts.batch_network import AttentionBlock, Dropout

KNOBS = {"temperature": 0.2, "smoothing": 0.1, "attention_weight": 1.0, "layers": 1, "heads": 2, "readout": "last"}


class TestIBCContract(NetworkContract):
    draws = True

    def make(self):
        knobs = KNOBS | {"layers": 2, "readout": "all"}
        return IBC(**knobs, dropout=0.1, seed=3, **self.sizes())


class TestIBCWithoutDropoutContract(NetworkContract):
    def make(self):
        return IBC(**KNOBS, dropout=0.0, seed=3, **self.sizes())


class TestIBC:
    def make(self, **changed):
        return shaken(IBC(**(KNOBS | changed), dropout=0.0, seed=0, **SIZES))

    @staticmethod
    def attended(block, rows):
        """One block, by loops over items and heads."""
        query, key, value = ([affine(layer, row) for row in rows] for layer in (block.query, block.key, block.value))
        width = len(rows[0]) // block.heads
        result = []
        for i, row in enumerate(rows):
            mixed = []
            for part in (slice(h * width, (h + 1) * width) for h in range(block.heads)):
                weights = [torch.exp(query[i][part] @ k[part] / math.sqrt(width)) for k in key]
                mixed.append(sum(w * v[part] for w, v in zip(weights, value, strict=True)) / (1 + sum(weights)))
            between = over_features(block.first_norm, row + affine(block.out, torch.cat(mixed)))
            after = affine(block.narrow, affine(block.widen, between).clamp_min(0))
            result.append(over_features(block.second_norm, between + after))
        return result

    @pytest.mark.parametrize(("layers", "heads", "readout"), [(1, 2, "last"), (2, 4, "all"), (2, 1, "last")])
    def test_by_loops(self, layers, heads, readout):
        loss = self.make(layers=layers, heads=heads, readout=readout, attention_weight=0.7)

        def theirs(points, labels):
            alone = torch.stack([loss.proxies @ point + loss.bias for point in points])
            rows, outputs = [affine(loss.entry, point / point.norm()) for point in points], []
            for block in loss.blocks:
                rows = self.attended(block, rows)
                outputs.append(rows)
            read = outputs if readout == "all" else outputs[-1:]
            joined = over_batch(loss.neck, [torch.cat(value) for value in zip(*read, strict=True)])
            together = torch.stack([loss.classifier @ feature for feature in joined])
            return smoothed(alone / 0.2, labels, 0.1) + 0.7 * smoothed(together / 0.2, labels, 0.1)

        agree(loss, theirs)

    def test_without_attention_is_smoothed_cross_entropy(self):
        loss = self.make(attention_weight=0.0)

        def theirs(points, labels):
            return functional.cross_entropy((points @ loss.proxies.T + loss.bias) / 0.2, labels, label_smoothing=0.1)

        agree(loss, theirs)

    def test_on_the_circle(self):
        """Logits 2 cos 60° + 0.5 and 3 cos 30°, each over 0.5, as the embedding has length 1."""
        knobs = KNOBS | {"temperature": 0.5, "smoothing": 0.2, "attention_weight": 0.0}
        loss = IBC(**knobs, dropout=0.0, seed=0, num_classes=2, embedding_dim=2).double()
        with torch.no_grad():
            loss.proxies.copy_(torch.tensor([[2.0, 0.0], [0.0, 3.0]]))
            loss.bias.copy_(torch.tensor([0.5, 0.0]))
        point = torch.tensor([[math.cos(math.radians(60)), math.sin(math.radians(60))]], dtype=torch.float64)
        behind = (3 * math.cos(math.radians(30)) - 1.5) / 0.5
        expected = 0.9 * math.log(1 + math.exp(behind)) + 0.1 * math.log(1 + math.exp(-behind))
        assert loss(point, torch.tensor([0])).item() == pytest.approx(expected)

    def test_unequal_heads_are_refused(self):
        with pytest.raises(ValueError, match="must divide the embedding dimensions"):
            AttentionBlock(8, 3, Dropout(0.0, 0))
