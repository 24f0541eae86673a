"""CSV files as an import of people reads them, beside what csv-spectrum says is in them."""

from __future__ import annotations

import json
from pathlib import Path

from chassis.web.problems import Refused
from services.program.domain.tables import LineViolation, read_table
from tests.corpora import MISSES, Share
from tests.node import node_modules

LOST_A_SIGN = "location_coordinates"
"""Its JSON has U+FFFD in place of a degree sign."""


def measure(short: bool) -> list[Share]:
    """Whether each file gives the records that its JSON names; there are too few for a sample."""
    del short
    folder = node_modules() / "csv-spectrum"
    files = sorted(one for one in (folder / "csvs").glob("*.csv") if one.stem != LOST_A_SIGN)
    missed = tuple(why for one in files if (why := _difference(one, folder / "json" / f"{one.stem}.json")))
    return [Share("CSV files read as they are meant", len(files) - len(missed), len(files), 1.0, missed[:MISSES])]


def _difference(file: Path, meant: Path) -> str:
    """What is read otherwise than it is meant; a line break in a cell is one character here, whatever it was."""
    expected = json.loads(meant.read_text(encoding="utf-8").replace("\\r\\n", "\\n"))
    try:
        table = read_table(file.read_bytes(), lambda heading: heading in expected[0])
    except Refused as refusal:
        return f"{file.name}: {refusal.errors}"
    found: list[dict[str, str] | str] = [
        one.detail if isinstance(one, LineViolation) else dict(zip(table.headings, one.cells, strict=True))
        for one in table.records()
    ]
    return "" if found == expected else f"{file.name}: {found} instead of {expected}"
