"""Publish files whole or not at all.

A file is written under a hidden name beside its place, forced to the disk, and given its name in one step. So a reader
never sees half a file, and a kill leaves at most the hidden draft. Files get the permissions of the umask.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import BinaryIO

from realitycheck.claims import rename_new
from realitycheck.errors import RealityCheckError, StorageError
from realitycheck.processes import this_machine

NO_LINKS = {errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}
"""What `link` answers on file systems without hard links, such as exFAT, SMB shares and buckets mounted as folders."""

NO_FOLDER_SYNC = {errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EBADF}
"""What `fsync` of a folder answers where a file system knows no such thing."""

DRAFT = ".partial"
"""How the names of drafts end."""

FIXES = {
    errno.ENOSPC: "Free some space.",
    errno.EDQUOT: "Free some space, or raise the quota.",
    errno.EROFS: "Make it writable, or choose another place.",
    errno.EACCES: "Change its permissions, or choose another place.",
    errno.EPERM: "Change its permissions, or choose another place.",
    errno.ENAMETOOLONG: "Shorten the name.",
    errno.EMFILE: "Raise the limit of open files (`ulimit -n`).",
    errno.ENFILE: "Raise the system's limit of open files.",
    errno.EIO: "Check the disk.",
    errno.ESTALE: "Check the network file system.",
    errno.ENOTDIR: "A file is in the place of a folder: move it away.",
    errno.EISDIR: "A folder is in the place of a file: move it away.",
    errno.ELOOP: "Remove the link that leads to itself.",
    errno.ENOMEM: "Close other programs.",
    errno.EFBIG: "Raise the limit of file sizes (`ulimit -f`), or choose another file system.",
}
"""States of a machine, and what a person does about each."""

OTHERWISE = "Check the disk and the path."
"""What a person does about any other answer of a file system, such as those of network file systems."""

NOT_OF_A_DISK = {0, errno.ENOENT, errno.EEXIST, errno.EPIPE, errno.EINTR, errno.ECHILD, errno.ESRCH}
"""Answers that say nothing of a machine's state: a caller looks for them, or they are a fault of this package."""

_QUOTED = re.compile(r"\(os error (\d+)\)")
"""How libraries in Rust, such as safetensors, quote the operating system: their exceptions have no `errno`."""


class Lasts(Enum):
    """What of a new file is left after a power cut. A forced write takes milliseconds, and a study has many files.

    `WHOLE`: all of it, once it is published. `WHOLE_OR_GONE`: all of it or nothing. `UNSURE`: it may also be empty.
    """

    WHOLE = "whole"
    WHOLE_OR_GONE = "whole or gone"
    UNSURE = "unsure"


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def make_folder(path: Path) -> None:
    """Make a folder and those around it, or raise a `StorageError`, such as where a file has its name."""
    with storage_errors(path):
        try:
            path.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, FileNotFoundError) as error:  # a file, a link to nowhere, or no place, as in /proc
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path)) from error


@contextmanager
def draft_of(path: Path) -> Iterator[Path]:
    """Name a hidden draft beside `path` and make its folder; a draft that is not published is removed at the end.

    Raises:
        StorageError: a file could not be read or written meanwhile.
    """
    draft = path.parent / f".{path.name[:32]}.{this_machine()}-{os.getpid()}.{secrets.token_hex(4)}{DRAFT}"
    try:
        with storage_errors(path):
            make_folder(path.parent)
            yield draft
    finally:
        with suppress(OSError):  # an error of the body must not be hidden by this one
            _remove(draft)


def publish(draft: Path, path: Path) -> None:
    """Move a finished draft to its place, whole even after a power cut.

    Args:
        draft: a file or a folder on the file system of `path`.
        path: the place; a file there is replaced, a folder there must be empty.
    """
    if draft.is_dir():
        os.sync()  # a rename can reach the disk before the files of a folder do
    else:
        _fsync(draft)
    draft.replace(path)
    _fsync_folder(path.parent)


def move_aside(path: Path) -> Path | None:
    """Give a damaged file another name beside its place, and return it; None where another process was faster."""
    target = path.with_name(f"{path.name}.damaged-{secrets.token_hex(4)}")
    with storage_errors(path):
        try:
            path.rename(target)
        except FileNotFoundError:
            return None
    return target


def link_new(path: Path, content: bytes, *, lasts: Lasts = Lasts.WHOLE) -> bool:
    """Publish a new file and return True, or return False where `path` exists: the first writer wins.

    A file system without hard links gets the same guarantee by a claim (`claims.py`).
    """
    with draft_of(path) as draft:
        with _new_file(draft) as file:
            file.write(content)
            file.flush()
            if lasts is not Lasts.UNSURE:
                os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            if not rename_new(draft, path):
                return False
    if lasts is Lasts.WHOLE:
        with storage_errors(path):
            _fsync_folder(path.parent)
    return True


def link_same(path: Path, file: Path) -> bool:
    """Give a finished file a second name; False where `path` is another file.

    Raises:
        OSError: the file system has no hard links, or the two are on different ones.
    """
    try:
        os.link(file, path)
    except FileExistsError:
        return path.samefile(file)
    return True


def _new_file(path: Path) -> BinaryIO:
    try:
        return path.open("xb")
    except FileNotFoundError:  # another process has swept the empty folder
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("xb")


def files_in(folder: Path) -> list[Path]:
    """Return the visible files and folders in a folder, sorted by name; none where there is no folder.

    Other than `Path.glob` it takes no folder that cannot be read for an empty one.

    Raises:
        StorageError: the folder cannot be read.
    """
    with storage_errors(folder):
        try:
            visible = (path for path in folder.iterdir() if not path.name.startswith("."))
            return sorted(visible, key=lambda path: path.name)
        except FileNotFoundError:
            return []


def storage_error(error: Exception, path: Path | str | None = None) -> StorageError | None:
    """Say in one sentence what a machine could not do, or return None if the error is no state of a machine.

    Args:
        error: what the operating system answered.
        path: the place to name; by default the one that the error names.
    """
    if (number := system_number(error)) in NOT_OF_A_DISK:
        return None
    place = path or getattr(error, "filename", None) or "a file"
    return StorageError(f"{place}: {os.strerror(number)}. {FIXES.get(number, OTHERWISE)}")


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn the machine's refusals to read or write `path`, or a file elsewhere that it names, into a `StorageError`."""
    try:
        yield
    except Exception as error:
        name = getattr(error, "filename", None)
        # A name alone, as of a file in a folder that is deleted, says not where it is.
        other = isinstance(name, str) and Path(name).parent not in (path.parent, Path())
        if failure := storage_error(error, name if other else path):
            raise failure from error
        raise


@contextmanager
def made_there(path: Path) -> Iterator[None]:
    """Turn the refusal of a folder that takes no files, such as `/proc`, into a `StorageError`."""
    try:
        yield
    except FileNotFoundError as error:
        raise StorageError(f"{path}: no file can be made there. {OTHERWISE}") from error


def system_number(error: BaseException | None) -> int:
    """The number of the operating system's answer; 0 where an error is none."""
    if isinstance(error, OSError) and error.errno:
        return error.errno
    quoted = None if isinstance(error, RealityCheckError) else _QUOTED.search(str(error))
    return int(quoted[1]) if quoted else 0


def _remove(draft: Path) -> None:
    if draft.is_dir():
        shutil.rmtree(draft, ignore_errors=True)
    else:
        draft.unlink(missing_ok=True)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fsync_folder(folder: Path) -> None:
    try:
        _fsync(folder)
    except OSError as error:
        if error.errno not in NO_FOLDER_SYNC:
            raise
