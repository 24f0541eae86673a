"""Prometheus and promtool: those of PATH, or Debian's package, unpacked into the cache without installing it."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

from herald.local.downloads import cache_folder
from herald.local.errors import LocalError


def find_promtool() -> str | None:
    """promtool, where it is at hand already."""
    return _find("promtool")


def provide(name: str = "prometheus") -> str:
    """The program `prometheus` or `promtool`. Raises LocalError."""
    if found := _find(name):
        return found
    folder = _folder()
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if found := _find(name):
            return found
        apt = shutil.which("apt-get")
        if apt is None:
            raise LocalError(
                "Put Prometheus 2.42 or later, with promtool, on PATH: there is no apt-get to fetch it with."
            )
        try:
            subprocess.run([apt, "download", "prometheus"], cwd=folder, check=True, capture_output=True, text=True)
            [package] = folder.glob("prometheus_*.deb")
            subprocess.run(["dpkg-deb", "-x", package, folder], check=True, capture_output=True, text=True)
            package.unlink()
        except subprocess.CalledProcessError as error:
            raise LocalError(f"Prometheus could not be fetched ({error.stderr.strip()[-300:]}).") from None
    return str(folder / "usr/bin" / name)


def _folder() -> Path:
    return cache_folder("prometheus")


def _find(name: str) -> str | None:
    if found := shutil.which(name):
        return found
    unpacked = _folder() / "usr/bin" / name
    return str(unpacked) if unpacked.is_file() else None
