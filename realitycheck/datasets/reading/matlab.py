"""Read lists from MATLAB files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat

from realitycheck.errors import InputError


def records(path: Path, *, variable: str, fields: tuple[str, str]) -> list[tuple[Any, Any]]:
    """Read two fields of every element of an array of structures, as plain Python values.

    Args:
        path: path of the file.
        variable: name of the array.
        fields: names of the two fields.

    Raises:
        InputError: if the file, the variable or a field is missing.
    """
    array = np.atleast_1d(_load(path, variable))
    missing = [name for name in fields if name not in (array.dtype.names or ())]
    if missing:
        says = f"missing field `{missing[0]}`; get the official file."
        raise InputError.one(str(path), "matlab-field", says, where=variable)
    return [(_plain(record[fields[0]]), _plain(record[fields[1]])) for record in array]


def texts(path: Path, *, variable: str) -> tuple[str, ...]:
    """Read a cell array of texts.

    Raises:
        InputError: if the file or the variable is missing.
    """
    return tuple(str(text) for text in np.atleast_1d(_load(path, variable)))


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.ndarray | np.generic) and np.size(value) == 1 else value


def _load(path: Path, variable: str) -> Any:
    if not path.is_file():
        raise InputError.one(str(path), "list-missing", "no such file; extract the archive again.")
    try:
        variables = loadmat(str(path), squeeze_me=True, variable_names=[variable])
    except Exception as error:  # on damaged files scipy raises a dozen types of errors, among them zlib's and struct's
        says = f"not a MATLAB file of version 5 ({type(error).__name__}: {error}). Get the official file."
        raise InputError.one(str(path), "matlab-unreadable", says) from error
    if variable not in variables:
        says = f"missing variable `{variable}`; get the official file."
        raise InputError.one(str(path), "matlab-variable", says, where=variable)
    return variables[variable]
