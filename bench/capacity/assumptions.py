"""What nobody measured: how lively a programme is, and how servers are run. Each may be set on the command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


def _assumed(value: Any, says: str) -> Any:
    return field(default=value, metadata={"says": says})


@dataclass(frozen=True, slots=True)
class Assumptions:
    """`says` of each field is a sentence for the page; `{}` stands for its value."""

    people: float = _assumed(5.0, "a company has {} people for each ambassador")
    shares: float = _assumed(2.0, "an ambassador shares {} times a week")
    clicks: float = _assumed(5.0, "a share brings {} clicks")
    days: int = _assumed(250, "a year has {} days on which people share, a week five of them")
    busiest_hour: float = _assumed(0.2, "that part of a day's work falls into its busiest hour: {}")
    readers: float = _assumed(0.3, "that part of the ambassadors comes to the hub within an hour of a newsletter: {}")
    views: float = _assumed(4.0, "each of them looks at {} pages")
    busy: float = _assumed(0.6, "a core is counted as full from {} on")
    mail_hours: float = _assumed(2.0, "a newsletter is to be out within {} hours")
    copies: int = _assumed(3, "MongoDB and Kafka keep {} copies")
    hot: float = _assumed(0.1, "MongoDB's memory is to hold that part of a year's documents and indexes: {}")
    server_gib: float = _assumed(2.0, "a MongoDB or a broker needs {} GiB beside that")
    disk_gib: float = _assumed(2_000.0, "a MongoDB member has a disk of {} GiB")
