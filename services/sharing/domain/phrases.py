"""Finding phrases in a text, however they are inflected, cased, accented, spaced or disguised.

Both sides are folded (compatibility forms, case, diacritics, invisible characters, look-alike letters), cut into
words and stemmed by Snowball, and the stems are compared in sequence. A phrase never matches inside of a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice

import ahocorasick
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


def folded_length(text: str) -> int:
    """How many letters a text has when it is folded, at most: one letter may become eighteen."""
    return len(unicodedata.normalize("NFKD", text).casefold())


@cache
def _stemmer(language: str) -> Stemmer.Stemmer | None:
    return Stemmer.Stemmer(STEMMERS[language]) if language in STEMMERS else None


def _words(letters: str) -> list[_Word]:
    return [_Word(found[1], found.start(1), found.end()) for found in _WORD.finditer(letters)]


MOST_FOUND = 50
"""Places that one look reports; a text full of phrases says no more by further ones."""
_SENTENCE_END_TOKEN = 1


class Phrases:
    """A set of phrases to look for: pairs of text and the language in which it is inflected (None: `default`).

    Looking takes time in proportion to the text's folded length, however many phrases there are and however they
    overlap (Aho-Corasick over stems). Of phrases that are the same when stemmed, the first is reported.
    """

    def __init__(self, phrases: Sequence[tuple[str, str | None]], default: str) -> None:
        self._unspaced = ahocorasick.Automaton()
        self._languages: dict[str, _Stems] = {}
        for index, (text, language) in enumerate(phrases):
            self._add(index, text, stemmed_as(language or default))
        self._unspaced.make_automaton()
        for stems in self._languages.values():
            stems.sequences.make_automaton()

    def _add(self, index: int, text: str, language: str) -> None:
        if _UNSPACED.search(text):
            letters = fold(text).letters.strip()
            if letters and letters not in self._unspaced:
                self._unspaced.add_word(letters, (index, len(letters)))
            return
        for spelling in {text, text.translate(_UMLAUTS)}:
            words = [word.text for word in _words(fold(spelling).letters)]
            if words:
                self._languages.setdefault(language, _Stems(language)).add(index, words)

    def find(self, text: str) -> list[Match]:
        """The first `MOST_FOUND` places where the phrases stand, in the order of the text; none for a text without
        any."""
        folded = fold(text)
        found = set(self._find(text, folded))
        return sorted(found, key=lambda match: (match.start, match.end, match.phrase))[:MOST_FOUND]

    def _find(self, text: str, folded: Folded) -> Iterator[Match]:
        if len(self._unspaced):
            for last, (index, length) in islice(self._unspaced.iter(folded.letters), MOST_FOUND):
                yield _match(index, last + 1 - length, last + 1, folded)
        if self._languages:
            for words in _readings(text, folded):
                tokens = list(_with_sentence_ends(words, folded.letters))
                for stems in self._languages.values():
                    yield from islice(stems.find(tokens, folded), MOST_FOUND)


class _Stems:
    """The phrases of one language by the stems of their words, as numbers."""

    def __init__(self, language: str) -> None:
        self._stemmer = _stemmer(language)
        self._numbers: dict[str, int] = {}
        self._hashtags: dict[str, int] = {}
        self.sequences = ahocorasick.Automaton(ahocorasick.STORE_ANY, ahocorasick.KEY_SEQUENCE)

    def add(self, index: int, words: Sequence[str]) -> None:
        numbers = tuple(self._numbers.setdefault(stem, len(self._numbers) + 2) for stem in self._stemmed(words))
        if numbers not in self.sequences:
            self.sequences.add_word(numbers, (index, len(numbers)))
        if len(words) > 1:
            self._hashtags.setdefault(self._stemmed(["".join(words)])[0], index)

    def find(self, tokens: Sequence[_Word | None], folded: Folded) -> Iterator[Match]:
        """Where phrases stand in a text's words; None among them ends a sentence, which no phrase goes beyond."""
        stems = iter(self._stemmed([one.text for one in tokens if one is not None]))
        numbers = []
        for token in tokens:
            if token is None:
                numbers.append(_SENTENCE_END_TOKEN)
                continue
            stem = next(stems)
            numbers.append(self._numbers.get(stem, 0))
            if stem in self._hashtags and token.start and folded.letters[token.start - 1] == "#":
                yield _match(self._hashtags[stem], token.start, token.end, folded)
        for last, (index, length) in self.sequences.iter(tuple(numbers)):
            first_word, last_word = tokens[last + 1 - length], tokens[last]
            assert first_word is not None
            assert last_word is not None
            yield _match(index, first_word.start, last_word.end, folded)

    def _stemmed(self, words: Sequence[str]) -> list[str]:
        if self._stemmer is None:
            return list(words)
        stems: list[str] = self._stemmer.stemWords(words)
        return [stem if len(word) >= SHORTEST_STEMMED else word for word, stem in zip(words, stems, strict=True)]


def stemmed_as(language: str) -> str:
    """The language by whose rules words of a language are stemmed; "" where none are known."""
    base = language.partition("-")[0]
    return base if base in STEMMERS else ""


def is_phrase(text: str) -> bool:
    """True for a text that can be found: some words of one sentence."""
    letters = fold(text).letters
    if _UNSPACED.search(text):
        return bool(letters.strip())
    words = _words(letters)
    return bool(words) and None not in _with_sentence_ends(words, letters)


def _with_sentence_ends(words: Sequence[_Word], letters: str) -> Iterator[_Word | None]:
    """The words, with None where a sentence ends between two of them."""
    before: _Word | None = None
    for word in words:
        if before is not None and _SENTENCE_END.search(letters, before.end, word.start):
            yield None
        yield word
        before = word


def _match(index: int, start: int, end: int, folded: Folded) -> Match:
    return Match(index, folded.origin[start], folded.origin[end - 1] + 1)


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
