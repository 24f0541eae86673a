"""What a caption must and must not say, checked while one types and again at the share.

Every finding names its rule, the place in the caption, and what to put there instead, so that putting each
`suggestion` in the place of `caption[start:end]` makes a caption that is not blocked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as member
from functools import lru_cache
from typing import Literal, Protocol

import phonenumbers

from chassis.text import cut, line, prose
from chassis.web.problems import Invalid, Violation
from services.sharing.domain.phrases import Phrases, folded_length, is_phrase, stemmed_as

Severity = Literal["block", "warn"]
Rule = Literal["forbidden-phrase", "discouraged-phrase", "too-long", "email-address", "phone-number"]
EVERYWHERE = "*"
_PHRASED: Mapping[Severity, str] = {
    "block": "“{excerpt}” cannot be shared: the programme rules out “{phrase}”.",
    "warn": "“{excerpt}” sounds like an advertisement.",
}
_PERSONAL: Mapping[Rule, str] = {
    "email-address": "This shows an e-mail address to everybody.",
    "phone-number": "This shows a phone number to everybody.",
}
MOST_OF_A_KIND = 20
MAX_PHRASES_TEXT = 20_000
"""Letters of all phrases and suggestions together, as they are compared: forty for each of 500."""
MAX_DISCLOSURES = 1000
CUT_EXACTLY = 1000
"""Characters up to which a text is cut to the last one that fits."""
ELLIPSIS = "…"
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}(?![\w-])")
_COUNTRY = re.compile(r"[A-Z]{2}|\*")


class Ruler(Protocol):
    """How long a text is for a network, and may be."""

    @property
    def max_length(self) -> int: ...

    def length(self, text: str) -> int: ...


@dataclass(frozen=True, slots=True)
class ForbiddenPhrase:
    """A phrase that blocks a share, or that is discouraged; `language` is the one in which it is inflected."""

    phrase: str
    severity: Severity = "block"
    language: str | None = None
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class Guardrails:
    """A programme's rules for captions. `disclosures` are texts by country (or `*`), then by language."""

    program_id: str
    version: int
    disclosures: Mapping[str, Mapping[str, str]]
    forbidden: tuple[ForbiddenPhrase, ...]

    def disclosure(self, country: str, language: str) -> str:
        """What must be said in that country, in that language if there is a text in it."""
        texts = self.disclosures.get(country) or self.disclosures.get(EVERYWHERE) or {}
        everywhere = self.disclosures.get(EVERYWHERE) or {}
        base = language.partition("-")[0]
        for found in (texts.get(language), texts.get(base)):
            if found:
                return found
        return texts.get("en") or next(iter(texts.values()), None) or next(iter(everywhere.values()), "")


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule and where it applies: `start` and `end` are positions in the caption, in Unicode characters.

    `suggestion` is what to put there instead (empty: nothing).
    """

    rule: Rule
    severity: Severity
    excerpt: str
    start: int
    end: int
    detail: str
    suggestion: str | None = None
    field: str = "caption"
    params: Mapping[str, str | int] = member(default_factory=dict, kw_only=True)
    language: str | None = member(default=None, kw_only=True)
    """Of the phrase and its suggestion, where that is known; else they are in that of the caption."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guardrails say. `caption` carries the disclosure; `length` counts it with the short link."""

    caption: str
    length: int
    max_length: int
    findings: tuple[Finding, ...] = member(default=())

    @property
    def blocked(self) -> bool:
        return any(finding.severity == "block" for finding in self.findings)


def disclose(caption: str, disclosure: str) -> str:
    """The caption with its disclosure: on a line of its own at the end, unless it opens or closes it already."""
    text = prose(caption)
    if not disclosure or _discloses(text, disclosure):
        return text
    return f"{text}\n\n{disclosure}" if text else disclosure


def _discloses(text: str, disclosure: str) -> bool:
    said, wanted = (unicodedata.normalize("NFC", one).casefold() for one in (text, disclosure))
    before = said[: -len(wanted)][-1:] if said.endswith(wanted) else None
    after = said[len(wanted) :][:1] if said.startswith(wanted) else None
    return any(one is not None and (not one or one.isspace()) for one in (before, after))


def compose(caption: str, disclosure: str, link: str) -> str:
    """What is posted: the caption, its disclosure, and the short link on the last line."""
    return f"{disclose(caption, disclosure)}\n{link}".strip()


def review(caption: str, guardrails: Guardrails, *, network: Ruler, country: str, language: str, link: str) -> Verdict:
    """Judge a caption. `country` is the ambassador's."""
    disclosure = guardrails.disclosure(country, language)
    length = network.length(compose(caption, disclosure, link))
    findings: list[Finding] = []
    if length > network.max_length:
        findings.append(_too_long(caption, disclosure, link, network, length))
    findings += _phrases(caption, guardrails.forbidden, language)
    findings += _personal(caption, country)
    findings.sort(key=lambda finding: (finding.start, finding.end))
    return Verdict(disclose(caption, disclosure), length, network.max_length, tuple(findings))


def mend(caption: str, findings: Iterable[Finding]) -> str:
    """The caption with the suggestions in place; of two that overlap, the later one is left for another round."""
    context: list[str] = []
    at = 0
    for finding in sorted(findings, key=lambda one: (one.start, one.end)):
        if finding.suggestion is None or finding.start < at:
            continue
        context += [caption[at : finding.start], finding.suggestion]
        at = finding.end
    return "".join([*context, caption[at:]])


# --- the rules -------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _compiled(forbidden: tuple[ForbiddenPhrase, ...], language: str) -> Mapping[Severity, tuple[list[int], Phrases]]:
    """The phrases of each severity, with their places in `forbidden`. Apart, so that many that are discouraged hide
    none that blocks."""
    found: dict[Severity, tuple[list[int], Phrases]] = {}
    for severity in ("block", "warn"):
        places = [place for place, one in enumerate(forbidden) if one.severity == severity]
        phrases = [(forbidden[place].phrase, forbidden[place].language) for place in places]
        found[severity] = (places, Phrases(phrases, language))
    return found


def _phrases(caption: str, forbidden: tuple[ForbiddenPhrase, ...], language: str) -> Iterator[Finding]:
    for severity, (places, phrases) in _compiled(forbidden, stemmed_as(language)).items():
        rule: Rule = "forbidden-phrase" if severity == "block" else "discouraged-phrase"
        for match in phrases.find(caption):
            known = forbidden[places[match.phrase]]
            excerpt = caption[match.start : match.end]
            detail = _PHRASED[severity].format(excerpt=excerpt, phrase=known.phrase)
            params = {"excerpt": excerpt, "phrase": known.phrase}
            yield Finding(
                rule,
                severity,
                excerpt,
                match.start,
                match.end,
                detail,
                known.suggestion or "",
                params=params,
                language=known.language,
            )


def _personal(caption: str, country: str) -> Iterator[Finding]:
    places = [("email-address", found.start(), found.end()) for found in _EMAIL.finditer(caption)][:MOST_OF_A_KIND]
    places += [("phone-number", start, end) for start, end in _phone_numbers(caption, country)]
    for rule, start, end in places:
        kind: Rule = "email-address" if rule == "email-address" else "phone-number"
        yield Finding(kind, "warn", caption[start:end], start, end, _PERSONAL[kind], "")


def _phone_numbers(caption: str, country: str) -> list[tuple[int, int]]:
    region = country if country in phonenumbers.SUPPORTED_REGIONS else None
    found: list[tuple[int, int]] = []
    for match in phonenumbers.PhoneNumberMatcher(caption, region, max_tries=200):
        found.append((match.start, match.end))
        if len(found) == MOST_OF_A_KIND:
            break
    return found


def _too_long(caption: str, disclosure: str, link: str, network: Ruler, length: int) -> Finding:
    """Where to cut: after as many characters as leave room for the disclosure and the link, at a space if one is
    near."""

    def fits(size: int) -> bool:
        return network.length(compose(caption[:size].rstrip() + ELLIPSIS, disclosure, link)) <= network.max_length

    low, high = 0, min(network.max_length, len(caption))
    while high < len(caption) and fits(high):  # where a link counts for less than its length
        low, high = high, min(2 * high, len(caption))
    while low < high and (low < CUT_EXACTLY or (high - low) * 32 > low):  # links alone are so long, and counting slow
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    while low and not fits(low):
        low -= 1 + low // 32
    low = len(cut(caption, low))
    space = max(caption.rfind(" ", 0, low), caption.rfind("\n", 0, low))
    end = len(caption[: space if space > low * 0.8 else low].rstrip())
    params = {"length": length, "max": network.max_length, "over": length - network.max_length}
    detail = f"{length} characters with the disclosure and the link; this network takes {network.max_length}."
    excerpt = cut(caption[end:], 200)
    return Finding("too-long", "block", excerpt, end, len(caption), detail, ELLIPSIS, params=params)


# --- setting them ----------------------------------------------------------------------------------------------


def default_guardrails(program_id: str) -> Guardrails:
    """What holds until a manager says otherwise: version 1."""
    return Guardrails(program_id, 1, DEFAULT_DISCLOSURES, DEFAULT_FORBIDDEN)


def change_guardrails(
    present: Guardrails, disclosures: Mapping[str, Mapping[str, str]], forbidden: Sequence[ForbiddenPhrase]
) -> Guardrails:
    """The next version. Raises Invalid, naming each field and rule that is broken."""
    problems = [*_wrong_disclosures(disclosures), *_wrong_phrases(forbidden)]
    if problems:
        raise Invalid("See `errors` for each field and the rule it breaks.", errors=problems)
    return replace(present, version=present.version + 1, disclosures=disclosures, forbidden=tuple(forbidden))


def _wrong_disclosures(disclosures: Mapping[str, Mapping[str, str]]) -> Iterator[Violation]:
    if sum(map(len, disclosures.values())) > MAX_DISCLOSURES:
        yield Violation(
            "disclosures",
            "too-many",
            f"At most {MAX_DISCLOSURES} texts in all countries and languages.",
            params={"max": MAX_DISCLOSURES},
        )
        return
    if not disclosures.get(EVERYWHERE):
        yield Violation("disclosures.*", "required", "A disclosure for all other countries is needed.")
    for country, texts in disclosures.items():
        if not _COUNTRY.fullmatch(country):
            yield Violation(f"disclosures.{country[:16]}", "country", "ISO 3166-1 alpha-2 in capitals, or *.")
        if not texts:
            yield Violation(f"disclosures.{country[:16]}", "required", "At least one language is needed.")
        for language, text in texts.items():
            if line(text) != text or not is_phrase(text):
                yield Violation(
                    f"disclosures.{country[:16]}.{language[:16]}", "text", "One visible line without space around it."
                )


def _wrong_phrases(forbidden: Sequence[ForbiddenPhrase]) -> Iterator[Violation]:
    if sum(folded_length(f"{one.phrase}{one.suggestion or ''}") for one in forbidden) > MAX_PHRASES_TEXT:
        yield Violation(
            "forbidden",
            "too-long",
            f"At most {MAX_PHRASES_TEXT} letters in all phrases and suggestions.",
            params={"max": MAX_PHRASES_TEXT},
        )
        return
    blocking = Phrases([(one.phrase, one.language) for one in forbidden if one.severity == "block"], "en")
    for index, one in enumerate(forbidden):
        if not is_phrase(one.phrase):
            yield Violation(f"forbidden.{index}.phrase", "words", "A phrase has at least one word, in one sentence.")
        if one.suggestion and blocking.find(one.suggestion):
            yield Violation(f"forbidden.{index}.suggestion", "forbidden", "The suggestion is forbidden itself.")


DEFAULT_DISCLOSURES: Mapping[str, Mapping[str, str]] = {
    "*": {"en": "#IWorkHere", "fr": "#JyTravaille", "de": "#IchArbeiteHier"},
    "AT": {"de": "#Werbung", "en": "#Werbung #IWorkHere", "fr": "#Werbung #JyTravaille"},
    "CH": {"de": "#Werbung", "fr": "#Publicité #JyTravaille", "en": "#Ad #IWorkHere"},
    "DE": {"de": "#Werbung", "en": "#Werbung #IWorkHere", "fr": "#Werbung #JyTravaille"},
    "FR": {"fr": "#Publicité #JyTravaille", "en": "#Ad #IWorkHere", "de": "#Werbung #IchArbeiteHier"},
    "GB": {"en": "#Ad #IWorkHere", "fr": "#Ad #JyTravaille", "de": "#Ad #IchArbeiteHier"},
    "US": {"en": "#Ad #IWorkHere", "fr": "#Ad #JyTravaille", "de": "#Ad #IchArbeiteHier"},
}
"""That the author is an employee, and where the law or the regulator asks for it that it is advertising (UWG § 5a
in Germany and Austria, Loi 2023-451 in France, the CAP Code in the United Kingdom, 16 CFR Part 255 in the USA)."""

DEFAULT_FORBIDDEN: tuple[ForbiddenPhrase, ...] = (
    ForbiddenPhrase("strictly confidential", language="en"),
    ForbiddenPhrase("internal use only", language="en"),
    ForbiddenPhrase("do not distribute", language="en"),
    ForbiddenPhrase("insider information", language="en"),
    ForbiddenPhrase("strictement confidentiel", language="fr"),
    ForbiddenPhrase("usage interne", language="fr"),
    ForbiddenPhrase("ne pas diffuser", language="fr"),
    ForbiddenPhrase("information privilégiée", language="fr"),
    ForbiddenPhrase("streng vertraulich", language="de"),
    ForbiddenPhrase("nur für den internen Gebrauch", language="de"),
    ForbiddenPhrase("Insiderinformation", language="de"),
    ForbiddenPhrase("guaranteed returns", language="en", suggestion="expected results"),
    ForbiddenPhrase("rendement garanti", language="fr", suggestion="résultats attendus"),
    ForbiddenPhrase("garantierte Rendite", language="de", suggestion="erwartete Ergebnisse"),
    ForbiddenPhrase("best in the world", "warn", "en", "among the best"),
    ForbiddenPhrase("world's leading", "warn", "en", "well-known"),
    ForbiddenPhrase("revolutionary", "warn", "en", "new"),
    ForbiddenPhrase("leader incontesté", "warn", "fr", "acteur reconnu"),
    ForbiddenPhrase("numéro un mondial", "warn", "fr", "acteur reconnu"),
    ForbiddenPhrase("révolutionnaire", "warn", "fr", "nouveau"),
    ForbiddenPhrase("weltweit führend", "warn", "de", "bekannt"),
    ForbiddenPhrase("revolutionär", "warn", "de", "neu"),
)
"""Marks of what is not for outside, promises that nobody may make, and words that make a post sound like an ad."""
