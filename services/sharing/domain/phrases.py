"""Finding phrases in a text, however they are inflected, cased, accented, spaced or disguised.

Both sides are folded (compatibility forms, case, diacritics, invisible characters, look-alike letters), cut into
words and stemmed by Snowball, and the stems are compared in sequence. A phrase never matches inside of a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise

import Stemmer

STEMMERS = {"en": "english", "fr": "french", "de": "german", "es": "spanish", "it": "italian", "nl": "dutch"}
"""Languages whose inflections are known; a phrase in another one matches as it is written."""

SHORTEST_STEMMED = 4
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_LETTERS = str.maketrans(
    {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "ŋ": "n", "ð": "d", "þ": "th"}
    | dict(zip("авекмнорстухіјѕԁԛԝѵһӏ", "abekmhopctyxijsdqwvhl", strict=True))
    | dict(zip("αβεηικμνορτυχγ", "abenikuvoptuxy", strict=True))
)
_WORD = re.compile(r"([^\W_]+)(?:['’]s(?![^\W_]))?")
_HUMP = re.compile(r"(?<=[^\W\d_])(?=[A-ZÀ-ÖØ-Þ])(?<![A-ZÀ-ÖØ-Þ])")
_SENTENCE_END = re.compile(r"[.!?;:。]|\n\s*\n")
_UNSPACED = re.compile("[\u0e00-\u0e7f\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
SPELLED_OUT = 4
_SPELLED_GAP = 2


@dataclass(frozen=True, slots=True)
class Folded:
    """A text as it is compared; `origin[i]` is the index, in the text itself, of what `letters[i]` came from."""

    letters: str
    origin: Sequence[int]


@dataclass(frozen=True, slots=True)
class Match:
    """The phrase with this index stands in `text[start:end]`."""

    phrase: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start: int  # in the folded letters
    end: int


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    """What one character is compared as: nothing, where nobody sees it."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    kept = (
        one
        for one in folded
        if one not in _INVISIBLE and (one.isspace() or unicodedata.category(one) not in ("Mn", "Me", "Cf", "Cc"))
    )
    return "".join(kept).translate(_LETTERS)


def fold(text: str) -> Folded:
    """The text as it is compared."""
    if text.isascii() and text.isprintable():
        return Folded(text.lower(), range(len(text)))
    letters: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(text):
        for one in _fold_character(character):
            letters.append(one)
            origin.append(index)
    return Folded("".join(letters), origin)


@cache
def _stemmer(language: str) -> Stemmer.Stemmer | None:
    return Stemmer.Stemmer(STEMMERS[language]) if language in STEMMERS else None


def _stem(word: str, language: str) -> str:
    stemmer = _stemmer(language)
    return stemmer.stemWord(word) if stemmer is not None and len(word) >= SHORTEST_STEMMED else word


def _words(letters: str) -> list[_Word]:
    return [_Word(found[1], found.start(1), found.end()) for found in _WORD.finditer(letters)]


class Phrases:
    """A set of phrases to look for: pairs of text and the language in which it is inflected (None: `default`)."""

    def __init__(self, phrases: Sequence[tuple[str, str | None]], default: str) -> None:
        self._by_stem: dict[tuple[str, str], list[tuple[int, tuple[str, ...]]]] = defaultdict(list)
        self._unspaced: list[tuple[int, str]] = []
        self._languages: set[str] = set()
        for index, (text, language) in enumerate(phrases):
            self._add(index, text, (language or default).partition("-")[0])

    def _add(self, index: int, text: str, language: str) -> None:
        if _UNSPACED.search(text):
            self._unspaced.append((index, fold(text).letters.strip()))
            return
        self._languages.add(language)
        for spelling in {text, text.translate(_UMLAUTS)}:
            words = [word.text for word in _words(fold(spelling).letters)]
            if not words:
                continue
            stems = tuple(_stem(word, language) for word in words)
            self._by_stem[language, stems[0]].append((index, stems))
            if len(words) > 1:
                joined = "#" + _stem("".join(words), language)
                self._by_stem[language, joined].append((index, (joined,)))

    def find(self, text: str) -> list[Match]:
        """Where the phrases stand, in the order of the text; of each phrase and place once."""
        folded = fold(text)
        found = set(self._find(text, folded))
        return sorted(found, key=lambda match: (match.start, match.end, match.phrase))

    def _find(self, text: str, folded: Folded) -> Iterator[Match]:
        for index, wanted in self._unspaced:
            for place in re.finditer(re.escape(wanted), folded.letters):
                yield _match(index, place.start(), place.end(), folded)
        for words in _readings(text, folded):
            for language in self._languages:
                yield from self._sequences(words, language, folded)

    def _sequences(self, words: Sequence[_Word], language: str, folded: Folded) -> Iterator[Match]:
        stems = [_stem(word.text, language) for word in words]
        for at, word in enumerate(words):
            starts = [stems[at]]
            if word.start and folded.letters[word.start - 1] == "#":
                starts.append("#" + stems[at])
            for start in starts:
                for index, wanted in self._by_stem.get((language, start), ()):
                    run = words[at : at + len(wanted)]
                    if (start, *stems[at + 1 : at + len(wanted)]) == wanted and _together(run, folded.letters):
                        yield _match(index, run[0].start, run[-1].end, folded)


def _match(index: int, start: int, end: int, folded: Folded) -> Match:
    return Match(index, folded.origin[start], folded.origin[end - 1] + 1)


def _together(words: Sequence[_Word], letters: str) -> bool:
    """Whether no sentence ends between the words."""
    return not any(_SENTENCE_END.search(letters, one.end, other.start) for one, other in pairwise(words))


def _readings(text: str, folded: Folded) -> Iterator[list[_Word]]:
    """The ways in which the text can be cut into words: as it is, at humps, and with spelled-out words joined."""
    words = _words(folded.letters)
    yield words
    cut = [part for word in words for part in _cut_at_humps(word, text, folded)]
    if len(cut) > len(words):
        yield cut
    joined = list(_join_spelled(words))
    if len(joined) < len(words):
        yield joined


def _cut_at_humps(word: _Word, text: str, folded: Folded) -> list[_Word]:
    """`GuaranteedReturns` as two words."""
    first, last = folded.origin[word.start], folded.origin[word.end - 1]
    edges = {first + hump.start() for hump in _HUMP.finditer(text[first : last + 1])}
    if not edges:
        return [word]
    cuts = [at for at in range(word.start + 1, word.end) if folded.origin[at] in edges]
    return [
        _Word(folded.letters[start:end], start, end)
        for start, end in zip([word.start, *cuts], [*cuts, word.end], strict=True)
    ]


def _join_spelled(words: Sequence[_Word]) -> Iterator[_Word]:
    """`g.u.a.r.a.n.t.e.e` as one word."""
    run: list[_Word] = []
    for word in words:
        single = len(word.text) == 1
        if run and not (single and word.start - run[-1].end <= _SPELLED_GAP):
            yield from _as_one(run)
            run = []
        if single:
            run.append(word)
        else:
            yield word
    yield from _as_one(run)


def _as_one(run: list[_Word]) -> list[_Word]:
    if len(run) < SPELLED_OUT:
        return run
    return [_Word("".join(word.text for word in run), run[0].start, run[-1].end)]
