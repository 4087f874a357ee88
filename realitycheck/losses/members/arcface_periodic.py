"""ArcFace loss without a continuation above π."""

from __future__ import annotations

import math

from torch import Tensor

from realitycheck.losses.members.arcface import SMALLEST_SINE_SQUARE, ArcFace


class ArcFacePeriodic(ArcFace):
    r"""ArcFace with the plain cosine: for θ + m above π it increases again, and the gradient has the wrong sign.

    $$L = -\frac{1}{B} \sum_i \log \frac{e^{s\,\cos(\theta_{i y_i} + m)}}{e^{s\,\cos(\theta_{i y_i} + m)}
    + \sum_{c \neq y_i} e^{s\,\cos\theta_{ic}}}$$

    θ is the angle between embedding and class vector. Deng, Guo, Xue and Zafeiriou (2019), Eq. 3, as in
    pytorch-metric-learning 0.9.92 and so in Musgrave, Belongie and Lim (2020). The authors' own code continues the
    cosine above π, and so does `arcface`. For θ + m below π both losses are equal.

    Args:
        margin: m in degrees, in [0, 90]; 0 gives normalised softmax with temperature 1/s. The paper's 0.5 rad is 28.6.
        scale: s, above 0; larger values give a sharper distribution.
        num_classes: C, the number of classes, each with one class vector.
        embedding_dim: D, the embedding dimensions.
    """

    def _widened(self, cosine: Tensor) -> Tensor:
        """Return `cos(θ + m)` of `cos θ`."""
        sine = (1 - cosine.square()).clamp_min(SMALLEST_SINE_SQUARE).sqrt()
        return cosine * math.cos(self.margin) - sine * math.sin(self.margin)
