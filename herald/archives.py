"""Tar archives."""

import tarfile
from pathlib import Path


def unpack(archive: tarfile.TarFile, folder: Path) -> None:
    """Extracts all of `archive`, which comes from a pinned source, below `folder`."""
    if hasattr(tarfile, "data_filter"):  # Python 3.11.4 and later
        archive.extractall(folder, filter="data")
    else:
        archive.extractall(folder)  # noqa: S202
