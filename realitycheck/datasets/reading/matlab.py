"""Lists that come as MATLAB files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat

from realitycheck.errors import InputError, Problem


def records(path: Path, *, variable: str, fields: tuple[str, str]) -> list[tuple[Any, Any]]:
    """Two fields of every element of an array of structures, as plain Python values.

    Args:
        path: of the file.
        variable: its name there.
        fields: the two that are wanted.

    Raises:
        InputError: there is no such file, variable or field.
    """
    array = np.atleast_1d(_load(path, variable))
    missing = [name for name in fields if name not in (array.dtype.names or ())]
    if missing:
        says = f"must hold structures with {' and '.join(fields)}; got none with {missing[0]}. Get the official file."
        raise InputError(str(path), [Problem(0, variable, says)])
    return [(_plain(each[fields[0]]), _plain(each[fields[1]])) for each in array]


def texts(path: Path, *, variable: str) -> tuple[str, ...]:
    """A cell array of texts.

    Raises:
        InputError: there is no such file or variable.
    """
    return tuple(str(each) for each in np.atleast_1d(_load(path, variable)))


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.ndarray | np.generic) and np.size(value) == 1 else value


def _load(path: Path, variable: str) -> Any:
    if not path.is_file():
        raise InputError(
            str(path), [Problem(0, "", "must be there; there is no such file. Extract the archive again.")]
        )
    try:
        found = loadmat(str(path), squeeze_me=True, variable_names=[variable])
    except Exception as error:  # scipy raises a dozen kinds of errors, zlib's and struct's among them, on damaged files
        says = f"must be a MATLAB file of version 5; got {type(error).__name__}: {error}. Get the official file."
        raise InputError(str(path), [Problem(0, "", says)]) from error
    if variable not in found:
        says = f"must hold the variable {variable}; it does not. Get the official file."
        raise InputError(str(path), [Problem(0, variable, says)])
    return found[variable]
