"""The records of no loss depend on AVX-512, offered or hidden."""

from __future__ import annotations

from test_every_loss import NAMES
from test_wide_instructions import MARKS, same_bytes

pytestmark = MARKS


def test_the_same_bytes_with_avx512_offered_and_hidden(tmp_path, monkeypatch):
    assert same_bytes(tmp_path, monkeypatch, tuple(NAMES))
