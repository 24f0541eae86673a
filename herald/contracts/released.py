"""The contracts of a release, taken from git."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from herald.archives import unpack
from herald.operations.topics import CONTRACTS

ROOT = CONTRACTS.parent


class ReleaseError(Exception):
    """The release to compare with cannot be had; the message says why and what to do."""


def last_release(root: Path = ROOT) -> str | None:
    """The last tag `v*` before or at HEAD, or None where there is none yet.

    Raises ReleaseError in a shallow clone, in which a tag may be missing.
    """
    tag = _git(root, "describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", check=False).decode().strip()
    if tag:
        return tag
    if _git(root, "rev-parse", "--is-shallow-repository").decode().strip() == "true":
        raise ReleaseError("a shallow clone may lack the last release: run 'git fetch --tags --unshallow'")
    return None


@contextmanager
def contracts_at(against: str, root: Path = ROOT) -> Iterator[Path]:
    """The `contracts` folder of a git reference, or of a folder given as such."""
    if Path(against).is_dir():
        yield Path(against)
        return
    archive = _git(root, "archive", "--format=tar", against, "contracts")
    with TemporaryDirectory() as folder, tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        unpack(tar, Path(folder))
        yield Path(folder, "contracts")


def _git(root: Path, *arguments: str, check: bool = True) -> bytes:
    try:
        ran = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, check=False)  # noqa: S603, S607
    except FileNotFoundError:
        raise ReleaseError("git is not on PATH") from None
    if check and ran.returncode != 0:
        raise ReleaseError(f"git {' '.join(arguments)}: {ran.stderr.decode().strip()}")
    return ran.stdout
