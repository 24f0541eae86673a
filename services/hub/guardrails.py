"""A programme's guardrails as single entries: one is added, changed or removed, and the rest stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar, cast

from chassis.text import match_key
from services.hub.clients import Json


class Duplicate(Exception):
    """There is another entry for the same."""


class Gone(Exception):
    """The entry is not there any more as it was shown."""


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What every post from a country (`*`: from all others) says in a language."""

    country: str
    language: str
    text: str

    @property
    def key(self) -> tuple[str, str]:
        """Of all entries with the same key there is one."""
        return self.country, self.language.lower()


@dataclass(frozen=True, slots=True)
class Phrase:
    """What no post says, or had better not; in `language`, or in any where it is empty."""

    phrase: str
    language: str = ""
    severity: str = "block"
    suggestion: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Of all entries with the same key there is one."""
        return match_key(self.phrase), self.language.lower()


Entry = Disclosure | Phrase
One = TypeVar("One", Disclosure, Phrase)


@dataclass(frozen=True, slots=True)
class Guardrails:
    """All entries, as they are stored."""

    disclosures: tuple[Disclosure, ...] = ()
    phrases: tuple[Phrase, ...] = ()

    @classmethod
    def of(cls, document: Json) -> Guardrails:
        """From the API's document."""
        disclosures = [
            Disclosure(country, language, text)
            for country, texts in document["disclosures"].items()
            for language, text in texts.items()
        ]
        phrases = [
            Phrase(
                one["phrase"], one.get("language") or "", one.get("severity") or "block", one.get("suggestion") or ""
            )
            for one in document["forbidden"]
        ]
        return cls(tuple(disclosures), tuple(phrases))

    @property
    def document(self) -> Json:
        """As the API takes it."""
        disclosures: dict[str, dict[str, str]] = {}
        for one in self.disclosures:
            disclosures.setdefault(one.country, {})[one.language] = one.text
        optional = [{"language": one.language, "suggestion": one.suggestion} for one in self.phrases]
        forbidden = [
            {"phrase": one.phrase, "severity": one.severity, **{name: value for name, value in more.items() if value}}
            for one, more in zip(self.phrases, optional, strict=True)
        ]
        return {"disclosures": disclosures, "forbidden": forbidden}

    def with_change(self, before: Entry | None, after: Entry | None) -> Guardrails:
        """With one entry in the place of another; `before` None adds one, `after` None removes one.

        Raises Gone, Duplicate.
        """
        if isinstance(before, Phrase) or isinstance(after, Phrase):
            return replace(self, phrases=_changed(self.phrases, cast(Phrase, before), cast(Phrase, after)))
        return replace(self, disclosures=_changed(self.disclosures, before, after))

    def search(self, query: str, country: str) -> Guardrails:
        """The entries that hold these words, the disclosures only of a country (if one is named)."""
        wanted = match_key(query)

        def holds(*texts: str) -> bool:
            return wanted in match_key(" ".join(texts))

        disclosures = [one for one in self.disclosures if country in ("", one.country) and holds(one.text)]
        return Guardrails(tuple(disclosures), tuple(one for one in self.phrases if holds(one.phrase, one.suggestion)))


def _changed(entries: Sequence[One], before: One | None, after: One | None) -> tuple[One, ...]:
    kept = list(entries)
    if before is not None and before not in kept:
        raise Gone
    place = len(kept) if before is None else kept.index(before)
    kept[place : place + 1] = []
    if after is not None:
        if any(one.key == after.key for one in kept):
            raise Duplicate
        kept.insert(place, after)
    return tuple(kept)
