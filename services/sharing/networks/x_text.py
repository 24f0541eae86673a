"""How long X says that a text is: the rules of twitter-text 3, configuration 3.

The text is composed (NFC) and read in UTF-16. A link weighs 23, an emoji 2, a character of most scripts of the West 1
and any other 2. What a link is, and where it ends:

- It begins with `http://` or `https://`, or with a host alone, and not behind a letter or digit of ASCII, `@`, `$` or
  `#`; a host alone not behind `-`, `_`, `.` or `/` either, and of it only the part in Latin letters.
- Its host ends in a top-level domain that twitter-text knows (`x_text.json`), behind which comes no letter or digit of
  ASCII, no `@`, `+` or `-`; so that a link ends where Chinese or Japanese goes on without a space.
- Behind it come a port, a path, which does not end in a sign that ends a sentence, with brackets in pairs, and a query.

tests/corpora/x_counts.py compares it with twitter-text itself. The time is linear in the length of the text.
"""

from __future__ import annotations

import json
import re
import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

LINK_WEIGHT: Final = 23
EMOJI_WEIGHT: Final = 2
TEXT_SELECTOR: Final = "\ufe0e"
LONGEST_LINK: Final = 4096
LONGEST_LABEL: Final = 63
LONGEST_SHORTENED: Final = 40
_HEAVY: Final = re.compile(r"[\ud800-\udbff][\udc00-\udfff]|[^\u0000-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]")
_NO_CHARACTERS: Final = "\ufffe\ufeff\uffff"
_DIRECTIONS: Final = "\u202a\u202b\u202c\u202d\u202e\u061c\u200e\u200f\u2066\u2067\u2068\u2069"
_SPACES: Final = "\t\n\v\f\r \x85\xa0\u1680\u180e\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_PUNCTUATION: Final = "!'#%&()*+,\\-./:;<=>?@[]^_{|}~$"
_NOT_IN_HOST: Final = frozenset(_PUNCTUATION + _SPACES + _NO_CHARACTERS + _DIRECTIONS)
_ALPHANUMERIC: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_NOT_BEFORE_LINK: Final = frozenset(_ALPHANUMERIC + "@＠$#＃" + _NO_CHARACTERS)
_NOT_BEFORE_HOST: Final = frozenset("-_./")
_NOT_AFTER_HOST: Final = frozenset(_ALPHANUMERIC + "@+-")
_LATIN: Final = (
    *((0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0xFF), (0x100, 0x24F), (0x253, 0x254), (0x256, 0x257), (0x259, 0x259)),
    *((0x25B, 0x25B), (0x263, 0x263), (0x268, 0x268), (0x26F, 0x26F), (0x272, 0x272), (0x289, 0x289)),
    *((0x28B, 0x28B), (0x2BB, 0x2BB), (0x300, 0x36F), (0x1E00, 0x1EFF)),
)
_CYRILLIC: Final = ((0x400, 0x4FF),)
_PUNYCODE: Final = re.compile(r"[xX][nN]--[-0-9A-Za-z]+")
_PROTOCOL: Final = re.compile(r"[hH][tT][tT][pP][sS]?://")
_PORT: Final = re.compile(r":[0-9]+")
_QUERY: Final = r"\?[A-Za-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*[A-Za-z0-9\-_&=#/]"
_QUERY_OF_LINK: Final = re.compile(_QUERY)
_SHORTENED: Final = re.compile(rf"[hH][tT][tT][pP][sS]?://[tT]\.[cC][oO]/([A-Za-z0-9]+)(?:{_QUERY})?")
_NOT_ASCII: Final = re.compile(r"[^\x20-\x7e]")
_DOTS: Final = re.compile("[。．｡]")


def weighted_length(text: str) -> int:
    """The length of a text in X's weights, of which a post may have 280."""
    units = _units(unicodedata.normalize("NFC", text))
    entities = {start: (end, EMOJI_WEIGHT) for start, end in _emoji(units)}
    entities.update({start: (start + length, LINK_WEIGHT) for start, length in _links(units)})
    total = at = 0
    for start in sorted(entities):
        if start >= at:
            end, weight = entities[start]
            total += _plain_weight(units, at, start) + weight
            at = end
    return total + _plain_weight(units, at, len(units))


def _plain_weight(units: str, start: int, end: int) -> int:
    """A pair of surrogates weighs what it is long, 2; any other unit one more than that if it is heavy."""
    return max(0, end - start) + sum(1 for one in _HEAVY.finditer(units, start, end) if len(one[0]) == 1)


def _units(text: str) -> str:
    """The text with a character for each unit of UTF-16."""
    if text.isascii():
        return text
    return "".join(map(chr, array("H", text.encode("utf-16-le", "surrogatepass"))))


# --- links -------------------------------------------------------------------------------------------------------


def _links(units: str) -> Iterator[tuple[int, int]]:
    """Where each link begins, and its length."""
    if "." not in units:
        return
    hosts = _Hosts(units)
    at = 0
    while (found := hosts.next_link(at)) is not None:
        at = found.end
        if not _can_be(found):
            continue
        if found.protocol:
            length = _length_with_protocol(found.text)
            if length:
                yield found.start, length
        elif found.before not in _NOT_BEFORE_HOST:
            yield from _latin_hosts(found)


@dataclass(frozen=True, slots=True)
class _Link:
    """A candidate; `before` is the unit before it, "" at the beginning of the text."""

    before: str
    start: int
    end: int
    text: str
    protocol: str
    host: str
    has_path: bool


def _can_be(link: _Link) -> bool:
    """Whether DNS could have such a host, and the link is not too long."""
    if link.host.startswith("xn--") and not any(_latin(link.host)):
        return False
    if not all(0 < _ascii_length(label) <= LONGEST_LABEL for label in link.host.split(".")):
        return False
    return len(link.protocol or "https://") + len(link.text) <= LONGEST_LINK


def _ascii_length(label: str) -> int:
    """The length of a label with each part of it as punycode."""
    parts = _DOTS.sub(".", label).split(".")
    return sum(map(_punycode_length, parts)) + len(parts) - 1


def _punycode_length(part: str) -> int:
    if _NOT_ASCII.search(part) is None:
        return len(part)
    characters = part.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return len("xn--") + len(characters.encode("punycode"))


def _length_with_protocol(link: str) -> int:
    """The length of the link, 0 if it is none: of X's own short links only the code and a query count."""
    shortened = _SHORTENED.match(link)
    if shortened is None:
        return len(link)
    return shortened.end() if len(shortened[1]) <= LONGEST_SHORTENED else 0


def _latin_hosts(link: _Link) -> Iterator[tuple[int, int]]:
    """Of a link without protocol, the hosts in Latin letters; a path belongs to the last one."""
    found: list[tuple[int, int]] = []
    end = 0
    for host in _latin(link.host):
        start = link.host.index(host, end)
        end = start + len(host)
        found.append((link.start + start, len(host)))
    if found and link.has_path:
        start, length = found[-1]
        found[-1] = (start, len(link.text) - len(link.host) + length)
    yield from found


def _latin(host: str) -> Iterator[str]:
    """The parts of a host that are hosts of Latin letters by themselves."""
    hosts = _Hosts(host, _latin_label(), needs_ends=False)
    at = 0
    while (found := hosts.next_host(at)) is not None:
        yield host[found[0] : found[1]]
        at = found[1]


class _Hosts:
    """The hosts of a text: where one begins, and where it ends if it begins there. Built from the end of the text, so
    that each label is looked at once."""

    def __init__(self, units: str, letters: Callable[[str], bool] | None = None, *, needs_ends: bool = True) -> None:
        self._units = units
        self._upper = "".join(map(_upper, units))
        self._needs_ends = needs_ends
        self._letter = letters or _in_host
        size = len(units)
        self._stop = [size] * (size + 1)
        self._underscore = [size] * (size + 1)
        self._from_label: dict[int, int | None] = {}
        for at in range(size - 1, -1, -1):
            unit = units[at]
            inside = self._letter(unit) or (needs_ends and unit in "-_")
            self._stop[at] = self._stop[at + 1] if inside else at
            self._underscore[at] = at if unit == "_" else self._underscore[at + 1]
            if unit == ".":
                self._from_label[at] = self.end(at + 1)

    def end(self, start: int) -> int | None:
        """Where the host that begins here ends; None if none does."""
        units, dot = self._units, self._stop[start]
        if dot == start or not units.startswith(".", dot):
            return None
        if self._needs_ends and not (self._letter(units[start]) and self._letter(units[dot - 1])):
            return None
        further = self._from_label.get(dot)
        if further is not None:
            return further
        return None if self._needs_ends and self._underscore[start] < dot else self._top_level(dot + 1)

    def _top_level(self, start: int) -> int | None:
        """Where the top-level domain that begins here ends."""
        known = _top_levels() if self._upper[start : start + 2] in _openings() else ()
        for names in known:
            for length in names:
                end = start + length
                if self._upper[start:end] in names[length] and self._units[end : end + 1] not in _NOT_AFTER_HOST:
                    return end
        punycode = _PUNYCODE.match(self._units, start)
        return punycode.end() if punycode else None

    def next_host(self, at: int) -> tuple[int, int] | None:
        """The first host that begins here or further on: its beginning and its end."""
        for start in range(at, len(self._units)):
            end = self.end(start)
            if end is not None:
                return start, end
        return None

    def next_link(self, at: int) -> _Link | None:
        """The first link behind a unit that is here or further on, or at the beginning of the text."""
        for before in range(at, len(self._units)):
            if self._units[before] not in _NOT_BEFORE_LINK:
                found = self._link(self._units[before], before + 1)
                if found is not None:
                    return found
            if before == 0:
                found = self._link("", 0)
                if found is not None:
                    return found
        return None

    def _link(self, before: str, start: int) -> _Link | None:
        units = self._units
        protocol = _PROTOCOL.match(units, start)
        host_start = protocol.end() if protocol else start
        host_end = self.end(host_start)
        if host_end is None:
            return None
        end = host_end
        if port := _PORT.match(units, end):
            end = port.end()
        path = _path().match(units, end)
        if path is not None:
            end = path.end()
        if query := _QUERY_OF_LINK.match(units, end):
            end = query.end()
        said = protocol[0] if protocol else ""
        return _Link(before, start, end, units[start:end], said, units[host_start:host_end], path is not None)


def _in_host(unit: str) -> bool:
    return unit not in _NOT_IN_HOST


# --- what twitter-text knows -------------------------------------------------------------------------------------


@cache
def _upper(unit: str) -> str:
    """The unit as a regular expression of ECMAScript compares it in any case."""
    upper = unit.upper()
    return unit if len(upper) != 1 or (ord(unit) >= 128 > ord(upper)) else upper


@cache
def _known() -> Mapping[str, Any]:
    known: Mapping[str, Any] = json.loads((files(__package__) / "x_text.json").read_bytes())
    return known


@cache
def _top_levels() -> tuple[dict[int, frozenset[str]], ...]:
    """Generic domains, then those of countries: by length, the longest first."""
    found = []
    for kind in ("generic", "country"):
        names = ["".join(map(_upper, _units(name))) for name in _known()[kind]]
        lengths = sorted({len(name) for name in names}, reverse=True)
        found.append({length: frozenset(name for name in names if len(name) == length) for length in lengths})
    return tuple(found)


@cache
def _openings() -> frozenset[str]:
    """The first two units of every top-level domain, or the one that it has."""
    return frozenset(name[:2] for names in _top_levels() for some in names.values() for name in some)


@cache
def _known_emoji() -> tuple[frozenset[str], frozenset[str], dict[str, list[int]], re.Pattern[str]]:
    """Emoji; symbols that are emoji unless a selector behind them says that they are text; how long those are that
    begin with a unit, the longest first; and all these units."""
    emoji, symbols = (frozenset(map(_units, _known()[kind])) for kind in ("emoji", "symbols"))
    lengths: dict[str, set[int]] = defaultdict(set)
    for one in emoji | symbols:
        lengths[one[0]].add(len(one))
    first = re.compile(f"[{''.join(map(re.escape, sorted(lengths)))}]")
    return emoji, symbols, {unit: sorted(some, reverse=True) for unit, some in lengths.items()}, first


def _emoji(units: str) -> Iterator[tuple[int, int]]:
    """Where each emoji begins and ends."""
    emoji, symbols, lengths, first = _known_emoji()
    at = 0
    for found in first.finditer(units):
        start = found.start()
        for length in lengths[found[0]] if start >= at else ():
            end = start + length
            one = units[start:end]
            if one in emoji or (one in symbols and not units.startswith(TEXT_SELECTOR, end)):
                yield start, end
                at = end
                break


@cache
def _in_any_case(ranges: tuple[tuple[int, int], ...]) -> frozenset[str]:
    """All units that are in the ranges, or are what is there in another case."""
    wanted = {_upper(chr(code)) for low, high in ranges for code in range(low, high + 1)}
    return frozenset(chr(code) for code in range(0x10000) if _upper(chr(code)) in wanted)


@cache
def _latin_label() -> Callable[[str], bool]:
    letters = _in_any_case(_LATIN) | set(_ALPHANUMERIC + "-")
    return letters.__contains__


@cache
def _path() -> re.Pattern[str]:
    letters = "".join(map(re.escape, sorted(_in_any_case((*_LATIN, *_CYRILLIC)))))
    general = rf"[A-Za-z0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&{letters}]"
    brackets = rf"\((?:{general}+|{general}*\({general}+\){general}*)\)"
    last = rf"[+\-A-Za-z0-9=_#/{letters}]"
    return re.compile(rf"/(?:{general}*(?:{brackets}{general}*)*{last}|{brackets}|@{general}+/)*")
