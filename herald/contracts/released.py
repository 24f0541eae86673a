"""The releases of the contracts: `contracts/released/<version>/`, written once, and compared with from then on.

A release holds what subscribers build on: `schemas/`, `topics/`, golden records (`records/`, as they are on the wire)
and `SHA256SUMS`, so that a release cannot be edited unnoticed.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tomllib
from pathlib import Path

from herald.operations.topics import CONTRACTS

FOLDER = "released"
SUMS = "SHA256SUMS"
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


class ReleaseError(Exception):
    """The release cannot be written; the message says why."""


def releases(root: Path = CONTRACTS) -> list[Path]:
    """The folders of all releases, oldest first."""
    found = [path for path in (root / FOLDER).glob("*") if path.is_dir() and VERSION.fullmatch(path.name)]
    return sorted(found, key=lambda path: _order(path.name))


def cut(version: str, root: Path = CONTRACTS) -> Path:
    """Write the contracts of today as a release; its folder. They must have been checked. Raises ReleaseError."""
    if not VERSION.fullmatch(version):
        raise ReleaseError(f"{version} is no version such as 0.1.0")
    package = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    if package != version:
        raise ReleaseError(f"contracts/pyproject.toml says {package}: what is published and what is kept are one")
    before = releases(root)
    if before and _order(before[-1].name) >= _order(version):
        raise ReleaseError(f"{before[-1].name} is released already")
    target = root / FOLDER / version
    for source, name in (("schemas", "schemas"), ("topics", "topics"), ("examples", "records")):
        shutil.copytree(root / source, target / name)
    (target / SUMS).write_text(sums_of(target), "utf-8")
    return target


def is_intact(release: Path) -> bool:
    """Whether every file of a release is unchanged."""
    sums = release / SUMS
    return sums.is_file() and sums.read_text("utf-8") == sums_of(release)


def sums_of(folder: Path) -> str:
    """A line a file, as `sha256sum` writes and reads them."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n" for path in files
    )


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
