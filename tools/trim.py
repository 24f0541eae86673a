"""`python trim.py FOLDER`: takes out of installed packages what a running service never reads.

Sources of compiled modules, stubs, tests, data of packages that Herald does not ask for, and of compiled modules
everything that is not loaded: symbols and debugging information, often most of the file.
"""

import shutil
import struct
import sys
from pathlib import Path

SOURCES = {".pyx", ".pxd", ".pxi", ".pyi", ".c", ".cc", ".cpp", ".h", ".hpp"}
TESTS = {"tests"}
UNUSED = ("phonenumbers/geodata", "phonenumbers/carrierdata", "phonenumbers/tzdata", "pycountry/locales")
ELF64_LITTLE = b"\x7fELF\x02\x01"
HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SEGMENT = struct.Struct("<IIQQQQQQ")


def loaded(library: bytes) -> bytes:
    """The part of a shared library that its program headers name, without a table of sections; as it is if this is no
    64-bit ELF."""
    if not library.startswith(ELF64_LITTLE):
        return library
    head = list(HEADER.unpack_from(library))
    start, size, number = head[5], head[9], head[10]
    end = start + size * number
    for one in range(number):
        _, _, offset, _, _, in_file, _, _ = SEGMENT.unpack_from(library, start + one * size)
        end = max(end, offset + in_file)
    head[6] = head[12] = head[13] = 0  # where sections are, how many, and where their names are
    return HEADER.pack(*head) + library[HEADER.size : end]


def trim(folder: Path) -> None:
    """Below this folder."""
    for name in UNUSED:
        for found in folder.rglob(name):
            shutil.rmtree(found)
    for found in sorted(folder.rglob("*")):
        if found.is_symlink() or not found.exists():
            continue
        if found.is_dir():
            if found.name in TESTS:
                shutil.rmtree(found)
        elif found.suffix in SOURCES:
            found.unlink()
        elif ".so" in found.suffixes:
            whole = found.read_bytes()
            kept = loaded(whole)
            if kept != whole:
                found.write_bytes(kept)


if __name__ == "__main__":
    trim(Path(sys.argv[1]))
