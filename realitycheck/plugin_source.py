"""The source of a class that a study names by address: what identifies it, found without importing it.

An installed module is identified by its distribution, `name==version`. Any other is identified by a digest of its file
and of all that it imports, directly or not, from folders that are no installation: packages of the study's home, for
instance. Versions of installed packages that such files import are in the digest too, but those of this package's own
requirements are not: a run's class of arithmetic and the provenance have these.

Imports are read from the syntax. A name that is computed while a module runs is not seen, and neither are data files.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import invalidate_caches, metadata
from importlib.machinery import all_suffixes
from pathlib import Path

from realitycheck.atomic import sha256_of
from realitycheck.canonical import digest

PACKAGE = "realitycheck"
INSTALLED = {"site-packages", "dist-packages"}
"""Names of the folders that packages are installed into."""


def sources_of(*addresses: str) -> dict[str, str]:
    """Return the source of each address that is not a name of a menu, does not ship here, and can be found."""
    sources = {address: source_of(address) for address in addresses if ":" in address}
    return {address: source for address, source in sorted(sources.items()) if source is not None}


def source_of(address: str) -> str | None:
    """Return what identifies the source of `module:Class`.

    Returns:
        `name==version` of an installed distribution, else a digest; None for a class of this package or of the standard
        library, and for a module that cannot be found.
    """
    invalidate_caches()  # a file that was written a moment ago
    module = address.partition(":")[0]
    place = None if _ships(module) else _place(module)
    if place is None:
        return None
    return _distribution(module.partition(".")[0], place.file) if place.installed else _loose(module)


def is_loose(address: str) -> bool:
    """Whether the class of an address is in no installed distribution: a file of the study's home, for instance."""
    source = source_of(address)
    return source is not None and "==" not in source


def literal_of(address: str, attribute: str) -> str:
    """Read a text that a class sets in its body, without importing it; empty where it sets none, or computes it."""
    module, _, name = address.partition(":")
    invalidate_caches()
    place = _place(module)
    try:
        tree = ast.parse(place.file.read_bytes()) if place else ast.Module([], [])
    except (OSError, SyntaxError, ValueError):
        return ""
    bodies = (node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    texts = (_text_in(statement, attribute) for body in bodies for statement in body)
    return next(filter(None, texts), "")


def _text_in(statement: ast.stmt, attribute: str) -> str:
    """The text in `attribute = "text"` or `attribute: str = "text"`; empty in any other statement."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))) if name == attribute:
            return text
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str(text))) if name == attribute:
            return text
    return ""


@dataclass(frozen=True, slots=True)
class _Place:
    """The file of a module, and whether the module is a package."""

    file: Path
    package: bool

    @property
    def installed(self) -> bool:
        """Whether it is where packages are installed; that of an editable installation is not."""
        return bool(INSTALLED & set(self.file.parts))


def loose_files(*addresses: str) -> dict[str, Path]:
    """Return the files of what is in no installation: the modules of these addresses, and all that they import.

    Returns:
        Path below a folder on the import path → file.
    """
    files = {}
    for address in filter(is_loose, addresses):
        for name, place in _reached(address.partition(":")[0])[0].items():
            path = Path(*name.split("."))
            inner = path / "__init__" if place.package else path
            files[inner.with_suffix(place.file.suffix).as_posix()] = place.file
    return files


def _loose(module: str) -> str:
    """Return the digest of a module and of all that it imports."""
    places, distributions = _reached(module)
    files = {name: sha256_of(place.file) for name, place in places.items()}
    return digest({"files": files, "installed": sorted(distributions)})


def _reached(module: str) -> tuple[dict[str, _Place], set[str]]:
    """Return what a module and its imports are: modules in no installation, and distributions."""
    places: dict[str, _Place] = {}
    distributions: set[str] = set()
    waiting, seen = [module], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen or _ships(name):
            continue
        seen.add(name)
        waiting += [name.rpartition(".")[0]] if "." in name else []  # its package is imported first
        place = _place(name)
        if place is not None and place.installed:
            distributions |= _not_required(_distribution(name.partition(".")[0], place.file))
        elif place is not None:
            places[name] = place
            waiting += _imported(name, place)
    return places, distributions


def _ships(module: str) -> bool:
    top = module.partition(".")[0]
    return top == PACKAGE or top in sys.stdlib_module_names


def _place(module: str) -> _Place | None:
    """Find the file of a module as an import would, without running any package that it is in."""
    top, *rest = module.split(".")
    specs = (finder.find_spec(top, None) for finder in sys.meta_path if hasattr(finder, "find_spec"))
    spec = next((spec for spec in specs if spec is not None), None)
    if spec is None:
        return None
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    if rest:
        return next((place for folder in folders if (place := _below(folder.joinpath(*rest)))), None)
    return _Place(Path(spec.origin), package=bool(folders)) if spec.has_location and spec.origin else None


def _below(stem: Path) -> _Place | None:
    """Return the package or the module of this path without its suffix."""
    for suffix in all_suffixes():
        for file, package in ((stem / f"__init__{suffix}", True), (stem.with_name(stem.name + suffix), False)):
            if file.is_file():
                return _Place(file, package)
    return None


def _imported(module: str, place: _Place) -> list[str]:
    """Return the names that a module may import: of modules, and of what it takes from them."""
    try:
        tree = ast.parse(place.file.read_bytes())
    except (SyntaxError, ValueError):  # compiled, or not Python; importing it says so
        return []
    package = module if place.package else module.rpartition(".")[0]
    return [name for node in ast.walk(tree) for name in _names(node, package) if name]


def _names(node: ast.AST, package: str) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            above = package.split(".")[: len(package.split(".")) - level + 1] if level else []
            base = ".".join([*above, *([module] if module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in names if base and alias.name != "*")
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[ast.Constant(value=str(module)), *_]):
            if name in ("import_module", "__import__"):
                yield module if not module.startswith(".") else f"{package}{module}"


def _distribution(top: str, file: Path) -> str:
    """Return `name==version` of the distribution that a file belongs to, with the commit where it was built from one.

    A file that was copied into an installation belongs to none; its own digest identifies it.
    """
    named = _named(top)
    owners = [named] if named else [metadata.distribution(name) for name in _by_module().get(top, ())]
    if len(owners) > 1:  # a namespace that distributions share
        owners = [owner for owner in owners if any(owner.locate_file(path) == file for path in owner.files or ())]
    return " ".join(sorted(map(_version, owners))) or sha256_of(file)


@cache
def _named(top: str) -> metadata.Distribution | None:
    """Return the distribution of the module's own name, where it installs that module: the usual case, and quick.

    The text of `RECORD` is searched, because `files` makes a path of each of torch's 12,000 lines: 0.15 s against 0.02.
    """
    try:
        distribution = metadata.distribution(top)
    except metadata.PackageNotFoundError:
        return None
    record = distribution.read_text("RECORD") or "\n".join(map(str, distribution.files or ()))
    return distribution if re.search(rf'^"?{re.escape(top)}(/|\.py\b)', record, re.MULTILINE) else None


@cache
def _by_module() -> dict[str, list[str]]:
    return {name: sorted(set(names)) for name, names in metadata.packages_distributions().items()}


def _version(distribution: metadata.Distribution) -> str:
    commit = re.search(r'"commit_id": *"(\w+)"', distribution.read_text("direct_url.json") or "")
    return f"{distribution.name}=={distribution.version}" + (f"@{commit[1]}" if commit else "")


def _not_required(source: str) -> set[str]:
    """Return a distribution in a set of its own; an empty set where this package requires it."""
    return set() if _canonical(source.partition("==")[0]) in _required() else {source}


@cache
def _required() -> frozenset[str]:
    """Return the names of this package's requirements, without those of its extras."""
    try:
        requirements = metadata.requires(PACKAGE) or []
    except metadata.PackageNotFoundError:
        return frozenset()
    plain = (text for text in requirements if "extra ==" not in text)
    return frozenset(_canonical(name[0]) for text in plain if (name := re.match(r"[\w.-]+", text)))


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
