"""Reading batches in which a header's name is no UTF-8.

Kafka takes any bytes for a name. aiokafka raises while it unpacks the batch: the records before are lost to the
caller, and the partition never gets past it. Here such a batch is read again with `\\xff` for what is no text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, SupportsIndex, overload

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

PREFIX = 12  # base offset and length of the rest
MAGIC = 16


class _LenientBytes(bytearray):
    """Bytes that always decode."""

    @overload
    def __getitem__(self, place: SupportsIndex, /) -> int: ...
    @overload
    def __getitem__(self, place: slice, /) -> bytearray: ...
    def __getitem__(self, place: Any, /) -> Any:
        found = super().__getitem__(place)
        return _LenientBytes(found) if isinstance(place, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, "backslashreplace")


class _Slow(_DefaultRecordBatchPy):  # type: ignore[misc]
    """aiokafka's own reader in Python, on bytes that always decode."""

    _buffer: bytearray

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _LenientBytes(self._buffer)


class _Batch:
    """One batch, from the fast reader; if that fails, the whole batch again from the slow one.

    The caller skips offsets that it has already seen, as it does for compressed batches.
    """

    def __init__(self, quick: Any, raw: bytes) -> None:
        self._quick = quick
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._quick, name)

    def __iter__(self) -> Iterator[Any]:
        try:
            yield from self._quick
        except UnicodeDecodeError:
            yield from _Slow(bytearray(self._raw))


class TolerantRecords:
    """aiokafka's MemoryRecords, of batches as above."""

    def __init__(self, data: bytes) -> None:
        self._records = MemoryRecords(data)
        self._data = data
        self._at = 0

    def size_in_bytes(self) -> int:
        return int(self._records.size_in_bytes())

    def has_next(self) -> bool:
        return bool(self._records.has_next())

    def next_batch(self) -> Any:
        batch = self._records.next_batch()
        begin = self._at
        self._at += PREFIX + int.from_bytes(self._data[begin + 8 : begin + PREFIX], "big")
        if batch is None or self._data[begin + MAGIC] < 2 or batch.is_control_batch:
            return batch
        return _Batch(batch, self._data[begin : self._at])


def tolerate() -> None:
    """Have every consumer of this process read so."""
    fetcher.MemoryRecords = TolerantRecords
