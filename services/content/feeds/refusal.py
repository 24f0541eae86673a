"""Why a document is no feed, and what was mended in one that is."""

from __future__ import annotations

from typing import Final, Literal, get_args

MendRule = Literal[
    "charset",
    "bytes",
    "characters",
    "preamble",
    "trailing",
    "truncated",
    "ampersand",
    "entity",
    "markup",
    "tag",
    "attribute",
    "prefix",
    "syntax",
]
"""What was wrong with a feed that could be read all the same.

``charset``: it is not in the charset that it (or its server) names. ``bytes``: some bytes are not of its charset.
``characters``: characters that XML forbids. ``preamble``, ``trailing``: text before or after the feed.
``truncated``: the end is missing. ``ampersand``: a bare ``&``. ``entity``: an entity that nobody declared.
``markup``: a ``<`` that begins nothing. ``tag``: tags that do not match. ``attribute``: attributes that are doubled or
not quoted. ``prefix``: a prefix without a namespace. ``syntax``: anything else that the parser had to pass over.
"""
MEND_RULES: Final[tuple[MendRule, ...]] = get_args(MendRule)


class NotAFeed(Exception):
    """`rule`: ``encoding``, ``html``, ``not-well-formed``, ``entities``, ``too-deep``, ``too-large``,
    ``not-a-feed``. An ``html`` page may name its ``feed``."""

    def __init__(self, rule: str, detail: str, **params: str) -> None:
        super().__init__(f"{rule}: {detail}")
        self.rule = rule
        self.detail = detail
        self.params = params


class Mends:
    """What was mended, each rule with the first line where it was needed (0 where no line can be named)."""

    def __init__(self) -> None:
        self._lines: dict[MendRule, int] = {}
        self.fault: str | None = None
        """What a parser that mends nothing says of the document, if it does not accept it."""

    def add(self, rule: MendRule, line: int = 0) -> None:
        self._lines.setdefault(rule, line)

    def listed(self) -> list[dict[str, str | int]]:
        return [{"rule": rule, "line": line} for rule, line in self._lines.items()]
