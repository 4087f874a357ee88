"""L2-softmax: embeddings of one length, class vectors of any."""

import math

import pytest
import torch
from member_contracts import VectorContract
from plane import arrows
from proxy_cases import SIZES, with_proxies
from torch.nn import functional
from vector_cases import agree, cloud, naive

from realitycheck.losses.members.l2_softmax import L2Softmax
from realitycheck.losses.members.normalized_softmax import NormalizedSoftmax


class TestL2SoftmaxContract(VectorContract):
    family = "proxies"

    def make(self):
        return L2Softmax(alpha=16.0, **self.sizes())


class TestL2Softmax:
    def test_by_loops(self):
        loss = L2Softmax(alpha=5.0, **SIZES).double()
        with torch.no_grad():
            loss.bias.copy_(torch.linspace(-1, 1, 6))
        bias = {tuple(proxy.tolist()): b for proxy, b in zip(loss.proxies, loss.bias.detach(), strict=True)}

        def logit(point, vector):
            return 5 * vector @ (point / point.norm()) + bias[tuple(vector.tolist())]

        agree(loss, lambda points, labels: naive(points, loss.proxies.detach(), logit, logit))

    def test_of_unit_vectors_is_normalised_softmax(self):
        unit = functional.normalize(cloud(1).detach()[:6], dim=1)
        ours = with_proxies(L2Softmax(alpha=5.0, **SIZES), unit)
        agree(ours, with_proxies(NormalizedSoftmax(temperature=0.2, **SIZES), unit))

    def test_on_the_circle(self):
        loss = with_proxies(L2Softmax(alpha=4.0, num_classes=2, embedding_dim=2), arrows(0, 90, lengths=(1.0, 2.0)))
        with torch.no_grad():
            loss.bias.copy_(torch.tensor([0.25, -0.5]))
        value = loss(arrows(60, lengths=(9.0,)), torch.tensor([0]))
        assert value.item() == pytest.approx(
            math.log(1 + math.exp(8 * math.cos(math.radians(30)) - 0.5 - (4 * 0.5 + 0.25)))
        )
