"""Proxy-based graph metric learning loss (ProxyGML, "Fewer is more")."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.base import Loss


class ProxyGML(Loss):
    r"""Classify by the proxies that are most similar to an embedding, with several proxies for each class.

    $$L = -\frac{1}{B} \sum_i \log \frac{e^{S_{i y_i}}}{\sum_{c \in C_i} e^{S_{ic}}}
    - \frac{\lambda}{C N} \sum_j \log \frac{e^{R_{j y_j}}}{\sum_c e^{R_{jc}}}, \quad
    S_{ic} = \sum_{j \in K_i, \, y_j = c} s_{ij}, \quad R_{jc} = \sum_{l, \, y_l = c} s_{jl}$$

    s is the cosine similarity of embedding and proxy, or of two proxies. K_i contains all proxies of the own class and
    the most similar ones of the others, together ⌈r C N⌉; C_i are the classes in it. Zhu, Yang, Deng and Liu (2020), as
    in the authors' code (YuehuaZhu/ProxyGML), with two differences. K_i contains at least one proxy of another class,
    even if ⌈r C N⌉ is too small. Classes without a proxy in K_i are excluded; the code excludes classes with a score of
    0. Memory O(B C N + C² N).

    Args:
        ratio: r, share of all proxies in K_i, in (0, 1].
        centers: N, number of proxies of a class, at least 1.
        regularizer: λ, weight of the second term, at least 0.
        num_classes: C, the number of classes.
        embedding_dim: D, the embedding dimensions.
    """

    def __init__(self, *, ratio: float, centers: int, regularizer: float, num_classes: int, embedding_dim: int) -> None:
        super().__init__()
        count = num_classes * centers
        self.ratio = ratio
        self.centers = centers
        self.regularizer = regularizer
        bound = count**-0.5
        self.proxies = nn.Parameter(torch.empty(count, embedding_dim).uniform_(-bound, bound))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        unit = functional.normalize(embeddings.to(self.proxies.dtype), dim=1)
        proxies = functional.normalize(self.proxies, dim=1)
        similarity = unit @ proxies.T  # (B, CN)
        kept = self._most_similar(similarity.detach(), labels)
        scores = self._by_class(similarity * kept).masked_fill(self._by_class(kept) == 0, -torch.inf)
        loss = functional.cross_entropy(scores, labels)
        return loss if self.regularizer == 0 else loss + self.regularizer * self._between_proxies(proxies)

    def _most_similar(self, similarity: Tensor, labels: Tensor) -> Tensor:
        classes = torch.arange(similarity.shape[1], device=labels.device) // self.centers
        first = similarity + 3 * (labels[:, None] == classes)  # the own class is above all others, which are at most 1
        count = len(self.proxies)
        kept = min(max(math.ceil(self.ratio * count), self.centers + 1), count)
        index = first.topk(kept, dim=1, sorted=False).indices
        return torch.zeros_like(similarity).scatter(1, index, 1.0)

    def _by_class(self, values: Tensor) -> Tensor:
        return values.view(len(values), -1, self.centers).sum(dim=2)  # (B, C)

    def _between_proxies(self, proxies: Tensor) -> Tensor:
        sums = proxies.view(-1, self.centers, proxies.shape[1]).sum(dim=1)  # (C, D)
        classes = torch.arange(len(proxies), device=proxies.device) // self.centers
        return functional.cross_entropy(proxies @ sums.T, classes)
