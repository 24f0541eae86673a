"""Variables from mounted files, one a file, as Kubernetes and Docker mount secrets and configuration."""

from __future__ import annotations

import os
import re
from collections.abc import MutableMapping
from pathlib import Path

DIRECTORIES = "HERALD_CONFIG_DIR"
_NAME = re.compile(r"(HERALD|OTEL)_[A-Z0-9_]+")


def load_config_files(environ: MutableMapping[str, str]) -> None:
    """Set each variable that is the name of a file in the directories of HERALD_CONFIG_DIR (colon between).

    What is set already stays, and an earlier directory goes before a later one. The value is the file's content without
    line breaks at its end. Raises OSError for what cannot be read.
    """
    for folder in filter(None, environ.get(DIRECTORIES, "").split(os.pathsep)):
        for path in sorted(Path(folder).iterdir()):
            if _NAME.fullmatch(path.name) and path.is_file():
                environ.setdefault(path.name, path.read_text(encoding="utf-8").rstrip("\r\n"))
