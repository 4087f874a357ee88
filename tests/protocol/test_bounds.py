"""Numbers that would exhaust a machine are out of range: the largest ones that are allowed, and one more."""

from __future__ import annotations

import pytest
from homes import inspected

BOUNDS = [
    ("seed: 7", "seed: {}", 0, -1),
    ("split: {order: sorted, seed: 0}", "split: {{order: sorted, seed: {}}}", 0, -1),
    ("image_size: 28", "image_size: {}", 1024, 1025),
    ("channels: 8", "channels: {}", 1024, 1025),
    ("shift: 2", "shift: {}", 2048, 2049),
    ("threads: 1", "threads: {}", 1024, 1025),
    ("embedding_dim: 16", "embedding_dim: {}", 16384, 16385),
    ("pairs: {classes: 4, per_class: 2}", "pairs: {{classes: 4, per_class: {}}}", 4096, 4097),
    ("proxies: {classes: 4, per_class: 2}", "proxies: {{classes: {}, per_class: 2}}", 8192, 8193),
    ("cap: 40", "cap: {}", 10**9, 10**9 + 1),
    ("epoch: pass", "epoch: {}", 10**9, 10**9 + 1),
    ("round: 2", "round: {}", 3, 10_001),
    ("trials: 6", "trials: {}", 10_000, 10_001),
    ("seeds: 3", "seeds: {}", 10_000, 10_001),
    ("seeds: 3", "seeds: {}", 2, 1),
    ("level: 0.95", "level: {}", 0.9999, 0.99999),
    ("level: 0.95", "level: {}", 0.51, 0.5),
]
"""What is replaced, by what, with a value that is allowed and one that is not; 4 folds."""


@pytest.mark.parametrize(("old", "new", "allowed", "refused"), BOUNDS)
def test_a_number_out_of_range(home, old, new, allowed, refused):
    text = home.protocol.read_text()
    assert text.count(old) == 1
    home.protocol.write_text(text.replace(old, new.format(allowed)))
    assert not [problem for problem in inspected(home.study) if problem.code.endswith("range")]
    home.protocol.write_text(text.replace(old, new.format(refused)))
    assert [problem.code.endswith("range") for problem in inspected(home.study)][:1] == [True]


def test_one_training_too_many(home):
    """2 searches of 10,000 trials on 4 folds are 80,000 trainings, and a replicate is 5; at most 100,000."""
    home.replace(home.protocol, "trials: 6", "searches: 2\n  trials: 10000")
    home.replace(home.protocol, "seeds: 3", "seeds: 4000")
    assert [problem.code for problem in inspected(home.study)] == []
    home.replace(home.protocol, "seeds: 4000", "seeds: 4002")
    assert [problem.code for problem in inspected(home.study)] == ["runs-range"]
