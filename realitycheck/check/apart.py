"""Try the classes that a study names by address in a child process: an import may hang, or end its process.

The child is a fork of this process. It has a limit of silence, ends with its parent, and takes its own children along.
What it finds comes back; what it imported does not.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import NoReturn, TypeVar, cast

from realitycheck.check.inspection import Inspection, RuleFindings
from realitycheck.check.rules.base import Rule, cause_of
from realitycheck.errors import RealityCheckError
from realitycheck.plugin_source import is_loose
from realitycheck.processes import end_with_parent
from realitycheck.protocol.document import Fault

T = TypeVar("T")

SECONDS = 60.0
"""What one step of a trial may take: the import of a module, or two steps of a loss on a few numbers."""

TICK = 0.05
"""Seconds between two looks at whether the child is there."""


class TrialEnded(Exception):
    """The child came to an end without an answer.

    Args:
        at: the last step that it reported.
        how: what happened, as the end of a sentence that begins with `it`.
    """

    def __init__(self, at: str, how: str) -> None:
        super().__init__(f"{at}: it {how}")
        self.at = at
        self.how = how

    def __reduce__(self) -> tuple[type[TrialEnded], tuple[str, str]]:
        return type(self), (self.at, self.how)


def apply_apart(
    inspection: Inspection, rules: Sequence[Rule], *, first_apart: Sequence[Rule] = (), seconds: float = SECONDS
) -> None:
    """Apply rules that import what a study names; code that this process does not have yet is tried in a child.

    Where the files have a problem already, no code beside the study is run: people correct their files first.

    Args:
        inspection: of the study.
        rules: those rules.
        first_apart: rules of a later stage that run such code, too; they are tried in the child alone.
        seconds: what one step may take.
    """
    if inspection.error():
        for address in filter(is_loose, inspection.addresses()):
            inspection.leave_out(address)
    from realitycheck.check.loss_trial import use_one_thread  # torch: loaded here, it does not count as a step

    def tried(step: Callable[[str], None]) -> RuleFindings:
        use_one_thread()  # the threads of this process are not copied
        steps = [""]

        def at(address: str) -> None:
            steps.append(address)
            step(address)

        inspection.step = at
        try:
            inspection.apply([*rules, *first_apart])
        except (RealityCheckError, OSError):
            raise
        except Exception as error:
            # Without the class that is blamed the rules run again: an error of ours comes back, and is raised.
            raise TrialEnded(steps[-1], f"raised {cause_of(error)}") from None
        return inspection.findings()

    while addresses := list(filter(_is_strange, inspection.addresses())):
        try:
            findings = in_child(tried, seconds=seconds)
        except TrialEnded as error:
            address = error.at if error.at in inspection.addresses() else addresses[0]
            says = f"{address} cannot be tried: it {error.how}. Correct the module."
            inspection.leave_out(address, fault=Fault("plugin-ends", says))
            continue
        inspection.adopt(findings)
        _import_installed(addresses)
        return
    inspection.apply(rules)


def in_child(work: Callable[[Callable[[str], None]], T], *, seconds: float) -> T:
    """Do work in a fork of this process, and return what it returns; an exception of it is raised here.

    Args:
        work: called with a function that must be called at every step, with the step's name.
        seconds: what a step may take.

    Raises:
        TrialEnded: a step took longer, or the process came to an end.
    """
    ours, theirs = Pipe()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()  # or the child writes it again
    with warnings.catch_warnings():
        # Threads that are not copied hold no lock that the child takes: it computes on one thread, and prints.
        warnings.simplefilter("ignore", DeprecationWarning)
        process = os.fork()
    if process == 0:
        ours.close()
        _work(theirs, work)
    theirs.close()
    child = _Child(process, ours)
    try:
        return cast(T, child.answer(seconds))
    finally:
        child.end()


@dataclass(slots=True)
class _Child:
    """A fork of this process, the end of its pipe, and its exit code once it has one."""

    process: int
    pipe: Connection
    code: int | None = None

    def answer(self, seconds: float) -> object:
        at, heard = "", time.monotonic()
        while time.monotonic() - heard < seconds:
            if not self.pipe.poll(TICK):
                if self._is_over() and not self.pipe.poll():  # its own children may keep the pipe open
                    break
                continue
            try:
                kind, value = pickle.loads(self.pipe.recv_bytes())
            except EOFError:
                break
            heard = time.monotonic()
            if kind == "step":
                at = value
            elif kind == "raised":
                raise value
            elif kind == "exits":
                raise TrialEnded(at, value)
            else:
                return value
        else:
            raise TrialEnded(at, f"did not end within {seconds:g} s")
        raise TrialEnded(at, self._how())

    def end(self) -> None:
        """End it and its own children."""
        self.pipe.close()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process, signal.SIGKILL)
        if self.code is None:
            os.kill(self.process, signal.SIGKILL)  # before it had a group of its own
            self._wait(0)

    def _is_over(self) -> bool:
        return self.code is not None or self._wait(os.WNOHANG)

    def _wait(self, options: int) -> bool:
        process, status = os.waitpid(self.process, options)
        if process:
            self.code = os.waitstatus_to_exitcode(status)
        return bool(process)

    def _how(self) -> str:
        if self.code is None:
            self._wait(0)
        code = self.code or 0
        return f"ended its process (exit code {code})" if code >= 0 else f"was ended by {signal.Signals(-code).name}"


def _work(pipe: Connection, work: Callable[[Callable[[str], None]], object]) -> NoReturn:
    """In the child: work, answer, end; exit handlers are the parent's, and do not run."""
    try:
        os.setsid()
        end_with_parent()  # elsewhere the limit holds
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        answer: tuple[str, object] = "done", work(lambda step: pipe.send_bytes(pickle.dumps(("step", step))))
    except Exception as error:
        answer = "raised", error
    except BaseException as error:
        answer = "exits", f"raised {type(error).__name__}"
    with suppress(BaseException):
        pipe.send_bytes(_pickled(answer))
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    os._exit(0)


def _pickled(answer: tuple[str, object]) -> bytes:
    try:
        return pickle.dumps(answer)
    except Exception as error:  # an exception may hold anything
        return pickle.dumps(("raised", RuntimeError(f"{answer[1]!r} ({error})")))


def _is_strange(address: str) -> bool:
    """Whether code of this address can be new to this process."""
    return is_loose(address) or address.partition(":")[0] not in sys.modules


def _import_installed(addresses: list[str]) -> None:
    """Import what is installed and came through its trial, so that the next study need not try it again."""
    for address in addresses:
        if not is_loose(address):
            with suppress(Exception):
                import_module(address.partition(":")[0])
