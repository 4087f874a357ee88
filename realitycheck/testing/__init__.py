"""Contracts as tests: subclass one in a test file, define `make`, and pytest checks your plug-in.

class TestMyLoss(LossContract):
    def make(self):
        return MyLoss(margin=0.1)
"""

from realitycheck.testing.dataset_contract import DatasetContract
from realitycheck.testing.executor_contract import ExecutorContract
from realitycheck.testing.loss_contract import LossContract

__all__ = ["DatasetContract", "ExecutorContract", "LossContract"]
