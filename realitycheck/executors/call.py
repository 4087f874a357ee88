"""Carry out one job where it has arrived: import the verb, call it, and answer in JSON whatever happens."""

from __future__ import annotations

import errno
import importlib
import json
import traceback

from realitycheck.atomic import system_number
from realitycheck.errors import StorageError
from realitycheck.executors.base import Finished, Job, Tell, VerbAnswer

OWN_LIMITS = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EFBIG}
"""What a job may have used up or forbidden itself: another attempt of it, in a fresh process, may succeed."""

MESSAGE = 2_000
"""Characters of an exception that are kept: a message may hold a whole tensor, and goes into notes and leases."""

TRACEBACK = 50_000
"""Characters of its traceback that are kept."""


def call(address: str, payload: str, *, tell: Tell) -> str:
    """Call a verb on JSON and return JSON: `{"body", "failure", "traceback"}`, and `steps`, `storage`; see `Finished`.

    Args:
        address: `module:function`; the function takes the payload and `tell`, and returns a body or a `VerbAnswer`.
        payload: a JSON object.
        tell: hears how far the work is.
    """
    return answer_of(address, payload, tell=tell, passes=(KeyboardInterrupt,))[0]


def answer_of(address: str, payload: str, *, tell: Tell, passes: tuple[type[BaseException], ...]) -> tuple[str, bool]:
    """Do the same, and return also whether the verb says that its process may do another job.

    Args:
        address: as in `call`.
        payload: as in `call`.
        tell: as in `call`.
        passes: exceptions that are none of the job's, such as Ctrl-C; none where a process never gets one from outside.
    """
    try:
        module, _, name = address.partition(":")
        returned = getattr(importlib.import_module(module), name)(json.loads(payload), tell=tell)
        answer = returned if isinstance(returned, VerbAnswer) else VerbAnswer(returned, None)
        noted = {"steps": answer.steps} if answer.steps else {}
        text = json.dumps({"body": answer.body, **_described(answer.raised), **noted}, allow_nan=False)
        return text, answer.reusable and answer.raised is None
    except passes:
        raise
    except BaseException as error:  # a plug-in may call `sys.exit`, or raise what is no `Exception`
        return json.dumps({"body": None, **_described(error), **_refused(error)}), False


def finished(job: Job, answer: str, *, seconds: float) -> Finished:
    """Read the answer of `call`.

    Raises:
        ValueError: it is no answer of `call`.
    """
    try:
        return Finished(job, seconds=seconds, **json.loads(answer))
    except TypeError as error:
        raise ValueError("not the answer to a call") from error


def _described(error: BaseException | None) -> dict[str, str | None]:
    if error is None:
        return {"failure": None, "traceback": None}
    message = "".join(traceback.format_exception_only(error)).strip()
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].name}, line {frames[-1].lineno})" if frames else ""
    return {
        "failure": _encodable(_shortened(message, MESSAGE) + place),
        "traceback": _encodable(_shortened("".join(traceback.format_exception(error)), TRACEBACK)),
    }


def _refused(error: BaseException) -> dict[str, str]:
    """The sentence of a storage failure; nothing for another exception, and for a limit of the process itself."""
    if not isinstance(error, StorageError) or system_number(error.__cause__) in OWN_LIMITS:
        return {}
    return {"storage": _encodable(str(error))}


def _shortened(text: str, longest: int) -> str:
    """Leave out the middle of a text that is too long; the frames of a traceback are before a long message."""
    if len(text) <= longest:
        return text
    end = longest // 4
    return f"{text[: longest - end]}\n[{len(text) - longest:,} characters left out]\n{text[-end:]}"


def _encodable(text: str) -> str:
    """Escape what UTF-8 cannot encode: bytes of a file's name that are no text come as lone surrogates."""
    return text.encode(errors="backslashreplace").decode()
