"""What is taken out of the packages of an image: never what is loaded."""

import ctypes
import importlib.util
import shutil
from pathlib import Path

from tools.trim import HEADER, SEGMENT, loaded, trim


def library(segments: list[tuple[int, int]], more: bytes) -> bytes:
    """An ELF file whose program headers name these parts, as offset and size, and with something after them."""
    start = HEADER.size
    end = max([start + SEGMENT.size * len(segments), *(offset + size for offset, size in segments)])
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    head = HEADER.pack(ident, 3, 62, 1, 0, start, end + 8, 0, HEADER.size, SEGMENT.size, len(segments), 64, 5, 4)
    table = b"".join(SEGMENT.pack(1, 5, offset, 0, 0, size, size, 4096) for offset, size in segments)
    return (head + table).ljust(end, b"x") + more


def test_what_no_segment_names_is_cut_off() -> None:
    whole = library([(200, 50), (300, 12)], b"symbols and sections")
    kept = loaded(whole)
    assert len(kept) == 312
    assert kept[HEADER.size :] == whole[HEADER.size : 312]
    head = HEADER.unpack_from(kept)
    assert (head[6], head[12], head[13]) == (0, 0, 0), "a table of sections that is not there must not be looked for"
    assert loaded(kept) == kept


def test_what_is_no_library_stays() -> None:
    for other in (b"INPUT(libm.so.6)", b"", b"\x7fELF\x01\x01 of 32 bits"):
        assert loaded(other) == other


def test_a_real_library_is_loaded_as_before(tmp_path: Path) -> None:
    spec = importlib.util.find_spec("uvloop.loop")
    assert spec is not None
    assert spec.origin is not None
    copy = tmp_path / Path(spec.origin).name
    shutil.copy(spec.origin, copy)
    before = copy.stat().st_size
    trim(tmp_path)
    assert copy.stat().st_size < before
    assert hasattr(ctypes.CDLL(str(copy)), "PyInit_loop")


def test_sources_tests_and_unused_data_go_and_nothing_else(tmp_path: Path) -> None:
    kept = ("pkg/__init__.py", "pkg/data.json", "pkg/contest/a.py", "phonenumbers/data/region_FR.py", "pkg/x.pyc")
    gone = ("pkg/fast.pyx", "pkg/fast.c", "pkg/api.pyi", "pkg/tests/test_a.py", "phonenumbers/geodata/data0.py")
    for one in (*kept, *gone):
        (tmp_path / one).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / one).write_text("x")
    trim(tmp_path)
    assert sorted(str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*") if one.is_file()) == sorted(kept)
