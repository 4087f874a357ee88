"""`work`: until when one worker of a study works."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from realitycheck.errors import InputError
from realitycheck.verbs.options import LONGEST, seconds_of

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def seconds_until(text: str, *, now: datetime) -> float:
    """How long a worker works.

    Args:
        text: a duration such as `55m` or `1.5h`, a time of day such as `17:30`, or a date and time in ISO format.
        now: the present time here.

    Raises:
        InputError: the text is none of these, or the time is over.

    Example:
        >>> from datetime import datetime
        >>> seconds_until("17:30", now=datetime(2026, 1, 1, 16, 0))
        5400.0
    """
    if (seconds := seconds_of(text)) is not None:
        return seconds
    if clock := _CLOCK.fullmatch(text):
        today = now.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
        moment = today if today > now else today + timedelta(days=1)
    else:
        moment = _date(text)
    if moment <= now:
        raise _refused(f"{text} is out of range: it must be later than now.")
    return min((moment - now).total_seconds(), LONGEST)


def _date(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise _refused(
            f"unknown time '{text}'. Write a duration above 0 such as 55m, or a time such as 17:30."
        ) from error
    return moment if moment.tzinfo is None else moment.astimezone().replace(tzinfo=None)


def _refused(says: str) -> InputError:
    return InputError.one("the command line", "until-invalid", says, where="--until")
