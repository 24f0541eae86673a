"""An append-only spool on disk, for what must survive while Kafka does not answer.

Every entry is its length and CRC-32 (4 bytes each, big endian) and its bytes, at least one; `append` returns after
fsync. Entries go to segments that one process writes and holds a lock on, which ends with the process; whoever can
lock a segment may drain it. A segment is removed once all of it was handed on, so what is handed on twice after a
crash is at most one segment. An entry that was torn by a crash had not been acknowledged: reading ends there.
"""

from __future__ import annotations

import fcntl
import os
import struct
import threading
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from chassis.ids import new_id

_HEAD = struct.Struct(">II")
MAX_ENTRY = 1024 * 1024
SUFFIX = ".spool"


class SpoolFull(Exception):
    """The spool has no room: nothing of what was to be appended is kept."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment that this process may drain: `entries` in the order in which they came."""

    path: Path
    entries: list[bytes]
    _lock: int

    def drop(self) -> None:
        """All of it was handed on: forget it."""
        self.path.unlink(missing_ok=True)
        _sync_folder(self.path.parent)
        self.release()

    def release(self) -> None:
        """Leave it to be drained another time."""
        os.close(self._lock)


class Spool:
    """A spool in `folder`, made when first needed. Its methods block, and may be called from any thread.

    `max_bytes` bounds what all processes together leave in the folder; a segment ends at `segment_bytes`.
    """

    def __init__(self, folder: Path, *, max_bytes: int, segment_bytes: int = 1024 * 1024) -> None:
        self._folder = folder
        self.max_bytes = max_bytes
        self._segment_bytes = segment_bytes
        self._guard = threading.Lock()
        self._writing: int | None = None
        self._size = 0

    def append(self, entries: Sequence[bytes]) -> None:
        """Keep the entries, on disk when this returns. Raises SpoolFull, OSError; then none of them is kept."""
        data = b"".join(_HEAD.pack(len(entry), zlib.crc32(entry)) + entry for entry in entries)
        with self._guard:
            if self.size() + len(data) > self.max_bytes:
                raise SpoolFull
            file = self._open()
            try:
                _write_all(file, data)
                os.fdatasync(file)
            except OSError:
                self._truncate(file)
                raise
            self._size += len(data)
            if self._size >= self._segment_bytes:
                self._end_segment()

    def size(self) -> int:
        """Bytes in the folder, of this process and of others."""
        try:
            return sum(path.stat().st_size for path in self._folder.iterdir() if path.suffix == SUFFIX)
        except FileNotFoundError:
            return 0

    def take(self) -> Iterator[Segment]:
        """Segments that nobody writes or drains, oldest first; of this process the present one too."""
        with self._guard:
            self._end_segment()
        if not self._folder.is_dir():
            return
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            lock = _lock(path)
            if lock is not None:
                yield Segment(path, list(_read(path)), lock)

    def close(self) -> None:
        with self._guard:
            self._end_segment()

    def _open(self) -> int:
        if self._writing is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._folder / f"{new_id()}.new"
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            # Locked before it has a name that others look for: nobody drains what is still being written.
            fcntl.flock(file, fcntl.LOCK_EX)
            path.rename(path.with_suffix(SUFFIX))
            _sync_folder(self._folder)
            self._writing, self._size = file, 0
        return self._writing

    def _truncate(self, file: int) -> None:
        """Cut off what was half written; if even that fails, the segment ends and its torn end is passed over."""
        try:
            os.ftruncate(file, self._size)
        except OSError:
            self._end_segment()

    def _end_segment(self) -> None:
        if self._writing is not None:
            os.close(self._writing)
            self._writing = None


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _lock(path: Path) -> int | None:
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return None
    if not path.exists():  # drained and removed between the listing and the lock
        os.close(file)
        return None
    return file


def _read(path: Path) -> Iterator[bytes]:
    """The whole entries of a segment, up to the first that is torn."""
    with path.open("rb") as file:
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            length, check = _HEAD.unpack(head)
            if not 0 < length <= MAX_ENTRY:  # zeros are what a file system leaves where it never wrote
                return
            entry = file.read(length)
            if len(entry) < length or zlib.crc32(entry) != check:
                return
            yield entry


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
