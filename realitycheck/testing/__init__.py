"""Contracts as tests: sub-class one in a test file, give it a `make`, and pytest checks your plug-in.

class TestMyLoss(LossContract):
    def make(self):
        return MyLoss(margin=0.1)
"""

from realitycheck.testing.datasets import DatasetContract
from realitycheck.testing.losses import LossContract

__all__ = ["DatasetContract", "LossContract"]
