"""What Ctrl-C does for a while."""

from __future__ import annotations

import signal

import pytest

from realitycheck.cli.signals import at_stop, on_stop


@pytest.fixture(autouse=True)
def _as_it_was():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_it_is_set_and_set_back():
    seen = []
    with at_stop(lambda *_: seen.append("heard")):
        signal.raise_signal(signal.SIGINT)
    assert seen == ["heard"]
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_it_is_set_back_after_an_error():
    with pytest.raises(OSError, match="disk"), at_stop(print):
        raise OSError("disk")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_where_it_was_switched_off_it_stays_so():
    """Shells start a job in the background so: Ctrl-C is not meant for it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert on_stop(print)[signal.SIGINT] is signal.SIG_IGN
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
