"""The spool keeps what it acknowledged, whatever a crash tears."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sharing.redirect.spool import Spool, SpoolFull

BIG = 1 << 30


def taken(spool: Spool) -> list[bytes]:
    """Everything in the spool, which is then empty."""
    found: list[bytes] = []
    for segment in spool.take():
        found += segment.entries
        segment.drop()
    return found


@given(
    st.lists(st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=5), max_size=12), st.integers(16, 400)
)
def test_what_goes_in_comes_out_in_order(
    tmp_path_factory: pytest.TempPathFactory, groups: list[list[bytes]], segment: int
) -> None:
    spool = Spool(tmp_path_factory.mktemp("s"), max_bytes=BIG, segment_bytes=segment)
    for group in groups:
        spool.append(group)
    assert taken(spool) == [entry for group in groups for entry in group]
    assert spool.size() == 0


@given(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=6), st.data())
def test_a_torn_end_costs_only_what_was_torn(
    tmp_path_factory: pytest.TempPathFactory, entries: list[bytes], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("s")
    spool = Spool(folder, max_bytes=BIG)
    spool.append(entries)
    spool.close()
    (path,) = folder.glob("*.spool")
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut] + data.draw(st.binary(max_size=10)))
    found = taken(Spool(folder, max_bytes=BIG))
    ends = [sum(8 + len(entry) for entry in entries[: count + 1]) for count in range(len(entries))]
    kept = sum(end <= cut for end in ends)
    assert len(found) >= kept
    assert found == entries[: len(found)]


def test_zeros_at_the_end_and_a_wrong_byte_are_no_entries(tmp_path: Path) -> None:
    spool = Spool(tmp_path, max_bytes=BIG)
    spool.append([b"first", b"second"])
    spool.close()
    (path,) = tmp_path.glob("*.spool")
    whole = path.read_bytes()
    path.write_bytes(whole + bytes(64))
    (segment,) = spool.take()
    assert segment.entries == [b"first", b"second"]
    segment.release()
    path.write_bytes(whole[:-1] + b"D")
    assert taken(spool) == [b"first"]


def test_a_segment_being_written_is_nobody_elses(tmp_path: Path) -> None:
    writer, other = Spool(tmp_path, max_bytes=BIG), Spool(tmp_path, max_bytes=BIG)
    writer.append([b"one"])
    assert list(other.take()) == []
    writer.close()
    assert taken(other) == [b"one"]


def test_a_segment_is_drained_by_one_and_left_if_it_could_not_be_handed_on(tmp_path: Path) -> None:
    one, other = Spool(tmp_path, max_bytes=BIG), Spool(tmp_path, max_bytes=BIG)
    one.append([b"a"])
    (segment,) = one.take()
    assert list(other.take()) == []
    segment.release()
    assert taken(other) == [b"a"]


def test_a_full_spool_keeps_what_it_has_and_nothing_of_the_new(tmp_path: Path) -> None:
    spool = Spool(tmp_path, max_bytes=40)
    spool.append([b"x" * 20])
    with pytest.raises(SpoolFull):
        spool.append([b"y", b"z" * 20])
    assert taken(spool) == [b"x" * 20]


def test_a_write_that_fails_half_way_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path, max_bytes=BIG)
    spool.append([b"first"])
    real = os.write

    def half(file: int, data: bytes) -> int:
        real(file, bytes(data)[: len(data) // 2])
        raise OSError(errno.ENOSPC, "no space left")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", half)
        with pytest.raises(OSError, match="no space"):
            spool.append([b"second"])
    spool.append([b"third"])
    assert taken(spool) == [b"first", b"third"]


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    program = (
        "import os,sys,pathlib;from services.sharing.redirect.spool import Spool;"
        "s=Spool(pathlib.Path(sys.argv[1]),max_bytes=1<<20);"
        "[s.append([b'%d'%n]) for n in range(50)];os.kill(os.getpid(),9)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=Path(__file__).parents[3], check=False, timeout=60
    )
    assert ended.returncode == -9
    assert taken(Spool(tmp_path, max_bytes=BIG)) == [b"%d" % number for number in range(50)]
