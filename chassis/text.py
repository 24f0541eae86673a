"""What becomes of text that people bring: names, teams, titles, captions.

`name`, `line` and `prose` are what every door cleans with; models of requests do so by the annotations `Name`,
`Title`, `Line`, `Words`, `Prose` and `Markdown`. All of them

- compose accents (NFC), so that one text is written in one way;
- take out what nobody sees: zero-width and other invisible letters, control characters, overrides and embeddings of
  the writing direction. Joiners stay where they join (Persian and Indian words, joined emoji), variation selectors
  where they select, and direction marks beside letters that are written from right to left;
- make one space of many.

A `name` and a `line` are one line. In a `line` and in `prose` a no-break space stays where French sets one (before
`; : ! ? »`, after `«`, in `1 200`) and is a plain space elsewhere; in a `name` it always is.

Two names that `match_key` gives one key for are one name: see there.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import regex
from anyascii import anyascii
from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema

from chassis.rules import broken

_FLAGS: Final = "|".join(
    "\U0001f3f4" + "".join(chr(0xE0000 + ord(sign)) for sign in region) + "\U000e007f"
    for region in ("gbeng", "gbsct", "gbwls")
)
# RFC 5892, appendices A.1 and A.2, says where a joiner joins letters; UTS 51, where it joins emoji.
_KEPT: Final = "|".join(
    [
        _FLAGS,
        r"(?<=\p{Extended_Pictographic}[\p{Emoji_Modifier}\uFE0F]?)\u200D(?=\p{Extended_Pictographic})",
        r"(?<=\p{Canonical_Combining_Class=Virama})[\u200C\u200D]",
        # The joiner first: otherwise each letter of a run of marks would look at all those before it.
        r"(?=\u200C)(?<=[\p{Joining_Type=L}\p{Joining_Type=D}]\p{Mn}*)\u200C"
        r"(?=\p{Mn}*[\p{Joining_Type=R}\p{Joining_Type=D}])",
        r"(?=\u200D)(?<=[\p{Joining_Type=L}\p{Joining_Type=D}]\p{Mn}*)\u200D",
        r"(?<=(?![0-9#*])\p{Emoji})[\uFE0E\uFE0F]",
        r"(?<=[0-9#*])\uFE0F(?=\u20E3)",
        r"(?<=\p{Han})[\uFE00-\uFE02\U000E0100-\U000E01EF]",
        r"(?<=[\u1820-\u18AA])[\u180B-\u180D\u180F]",
    ]
)
_INVISIBLE: Final = (
    r"[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\p{Cc}\p{Cs}\p{Bidi_Control}\uFFF9-\uFFFB]"
)
_ANY_INVISIBLE: Final = regex.compile(_INVISIBLE)
_SOMETIMES_KEPT: Final = regex.compile(
    r"[\t\n\v\f\r\x85\u200C-\u200F\u061C\uFE00-\uFE0F\u180B-\u180F\U000E0000-\U000E01EF]"
)
# What stays nowhere: to take out a thousand of them costs as little as to take out one.
_NEVER_KEPT: Final = {
    code: None
    for part in (range(0x3000), range(0xD800, 0xE000), range(0xFE00, 0x10000), range(0xE0000, 0xE1000))
    for code in part
    if _ANY_INVISIBLE.match(chr(code)) and not _SOMETIMES_KEPT.match(chr(code))
}
_UNSEEN: Final = regex.compile(rf"(?P<kept>{_KEPT}|[\t\n\v\f\r\x85])|{_INVISIBLE}")
_UNSEEN_RIGHT_TO_LEFT: Final = regex.compile(rf"(?P<kept>{_KEPT}|[\t\n\v\f\r\x85\u200E\u200F\u061C])|{_INVISIBLE}")
_RIGHT_TO_LEFT: Final = regex.compile(r"(?=\p{L})[\p{Bidi_Class=R}\p{Bidi_Class=AL}]")
_HALF: Final = regex.compile(r"\p{Cs}")
_MANY_MARKS: Final = regex.compile(r"[^\p{Canonical_Combining_Class=Not_Reordered}]{32,}")
_BREAK: Final = regex.compile(r"\r\n|[\n\v\f\r\x85\u2028\u2029]")
_SPACES: Final = regex.compile(r"[\p{Zs}\t\u2800]+")
_FRENCH: Final = regex.compile(
    r"(?<=\S)[\u00A0\u202F](?=[;:!?»])|(?<=«)[\u00A0\u202F](?=\S)|(?<=\d)[\u00A0\u202F](?=\d)"
)
_NAMING: Final = regex.compile(r"[\p{L}\p{N}\p{S}]")
_SEEN: Final = regex.compile(r"[^\p{Z}\p{C}\p{M}]")
_GRAPHEME: Final = regex.compile(r"\X")
_IGNORABLE: Final = regex.compile(r"\p{Default_Ignorable_Code_Point}")
_ACCENTS: Final = regex.compile(r"(?<=[\p{Latin}\p{Greek}\p{Cyrillic}])\p{Mn}+")
_LATIN: Final = regex.compile(r"(?![a-z])\p{Latin}")
_AROUND_SIGNS: Final = regex.compile(r"\s*([^\w\s])\s*")
_SAME_SIGN: Final = str.maketrans(
    dict.fromkeys("‐‑‒–—−", "-") | dict.fromkeys("’‘ʼ´`", "'") | dict.fromkeys("“”„«»", '"')
)


def name(text: str) -> str:
    """One line without no-break spaces."""
    return _SPACES.sub(" ", _one_line(text)).strip()


def line(text: str) -> str:
    """One line."""
    return _spaced(_one_line(text)).strip()


def prose(text: str) -> str:
    """Lines that end in \\n and in no space."""
    return "\n".join(_spaced(one).strip() for one in _BREAK.split(_visible(text))).strip("\n")


def markdown(text: str) -> str:
    """Lines that end in \\n, with the spaces that Markdown tells lists, code and line breaks by."""
    return _BREAK.sub("\n", _visible(text)).strip("\n")


def names_something(text: str) -> bool:
    """True if there is a letter, a digit or a symbol such as an emoji in it."""
    return _NAMING.search(text) is not None


def match_key(text: str) -> str:
    """The same for two spellings of one name, and only for these.

    They are spellings of one name where they differ in upper and lower case, in the accents of Latin, Greek and
    Cyrillic letters, in ligatures (`œ`, `ß`), in the width or form of letters (NFKC), in joiners and selectors, in
    kinds of dashes, quotes and spaces, or in spaces around punctuation (`R & D`). Letters of different scripts are
    different letters.
    """
    seen = _IGNORABLE.sub("", name(text)).casefold().translate(_SAME_SIGN)
    folded = unicodedata.normalize("NFKC", seen).casefold()
    bare = _ACCENTS.sub("", unicodedata.normalize("NFD", folded))
    plain = _LATIN.sub(lambda found: anyascii(found[0]).lower(), bare).translate(_SAME_SIGN)
    return unicodedata.normalize("NFC", _AROUND_SIGNS.sub(r"\1", _SPACES.sub(" ", plain).strip()))


def terms(*values: str | None) -> tuple[str, ...]:
    """The words of some texts as search terms: without case and accents, each once."""
    found: dict[str, None] = {}
    for value in values:
        folded = (value or "").casefold()
        for _ in range(2):  # A compatible letter may be an upper case one: U+1D434.
            folded = unicodedata.normalize("NFKD", folded).casefold()
        plain = "".join(sign for sign in folded if not unicodedata.combining(sign))
        found |= dict.fromkeys(regex.findall(r"[^\W_]+", plain))
    return tuple(found)


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """The first spelling of each name, in order."""
    first: dict[str, str] = {}
    for one in names:
        first.setdefault(match_key(one), one)
    return tuple(first.values())


def cut(text: str, limit: int) -> str:
    """The beginning of a text: whole graphemes, at most `limit` characters together."""
    if len(text) <= limit:
        return text
    end = 0
    for grapheme in _GRAPHEME.finditer(text):
        if grapheme.end() > limit:
            break
        end = grapheme.end()
    return text[:end]


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters of a text, with … where it is longer: cut between words, or graphemes where the last
    word is long."""
    if len(text) <= limit:
        return text
    head = cut(text, limit - 1)
    words = head if text[len(head)].isspace() else head.rpartition(" ")[0]
    return (words if len(words) > limit // 2 else head).rstrip() + "…"


def _visible(text: str) -> str:
    composed = _composed(text)
    if not _ANY_INVISIBLE.search(composed):
        return composed
    composed = composed.translate(_NEVER_KEPT)
    unseen = _UNSEEN_RIGHT_TO_LEFT if _RIGHT_TO_LEFT.search(composed) else _UNSEEN
    if not _ANY_INVISIBLE.search(composed):
        return _composed(composed)
    return _composed(unseen.sub(r"\g<kept>", composed))


def _composed(text: str) -> str:
    """NFC. Its own way of ordering marks takes the square of their number."""
    ordered = _MANY_MARKS.sub(lambda marks: "".join(sorted(marks[0], key=unicodedata.combining)), text)
    return unicodedata.normalize("NFC", ordered)


def _one_line(text: str) -> str:
    return _BREAK.sub(" ", _visible(text))


def _spaced(text: str) -> str:
    """One plain space for each run of spaces; a no-break space of French typography stays."""
    french = {found.start() for found in _FRENCH.finditer(text)}
    return _SPACES.sub(lambda run: run[0] if len(run[0]) == 1 and run.start() in french else " ", text)


@dataclass(frozen=True, slots=True)
class _Cleaned:
    """An annotation of `str` in a model: cleans what comes in, then looks at its length in characters."""

    max_length: int = 200

    nothing: ClassVar[str | None] = None
    """The sentence for a text of nothing, where one is needed."""

    def clean(self, text: str) -> str:
        return prose(text)

    def says_something(self, text: str) -> bool:
        return _SEEN.search(text) is not None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        text = core_schema.str_schema(min_length=1 if self.nothing else None, max_length=self.max_length)
        return core_schema.no_info_before_validator_function(self._cleaned, text)

    def _cleaned(self, value: object) -> object:
        if not isinstance(value, str) or len(value) > self.max_length + 1000 or _HALF.search(value):
            return value  # for pydantic to refuse: what is far too long is not worth cleaning
        text = self.clean(value)
        if self.nothing and not self.says_something(text):
            raise broken("blank", self.nothing)
        return text


class Prose(_Cleaned):
    """Text of any lines, which may be empty."""


class Words(Prose):
    """Text of any lines that must be there: a caption, a comment, guidelines."""

    nothing = "Some words are needed."


class Markdown(Words):
    """A text in Markdown that must be there."""

    def clean(self, text: str) -> str:
        return markdown(text)


class Line(_Cleaned):
    """One line of text, which may be empty."""

    def clean(self, text: str) -> str:
        return line(text)


class Title(Line):
    """One line of text that must be there."""

    nothing = "Some words are needed."


class Name(_Cleaned):
    """The name of a person, a team, a place, a programme: `name`, with a letter, a digit or a symbol."""

    nothing = "A name needs a letter or a digit."

    def clean(self, text: str) -> str:
        return name(text)

    def says_something(self, text: str) -> bool:
        return names_something(text)
