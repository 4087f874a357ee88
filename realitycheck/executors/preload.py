"""What every child process finds loaded: imported once by the fork server, then shared.

The thread counts are set before numpy and torch read them; a run then sets its own by `torch.set_num_threads`.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"

import torch  # noqa: E402
import torch._dynamo  # noqa: E402, F401
