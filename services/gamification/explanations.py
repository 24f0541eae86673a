"""The answer to "why did I get this?": a sentence in each language."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from chassis.messages import LANGUAGES, Messages
from services.gamification.domain.ledger import Entry
from services.gamification.domain.rules import Rule

MESSAGES = Messages(Path(__file__).parent / "messages")


def explain(entry: Entry, rule: Rule | None) -> dict[str, str]:
    """One sentence a language: what happened, what it is worth by its rule, and whether a limit cut it.

    `rule` is the entry's rule in the entry's version.
    """
    return {language: _sentence(language, entry, rule) for language in LANGUAGES}


def _sentence(language: str, entry: Entry, rule: Rule | None) -> str:
    text = partial(MESSAGES.text, language)

    def known(kind: str, name: str) -> str:
        return f"{kind}.{name}" if MESSAGES.has(language, f"{kind}.{name}") else f"{kind}.other"

    where = text(known("where", entry.network), network=entry.network) if entry.network else ""
    if entry.reverses is not None:
        return text("removed", where=where) if entry.act == "share" else text("removed.act")
    said = text(known("act", entry.act), count=entry.acts, act=entry.act, where=where)
    if entry.points < entry.worth:
        said = text("limited", said=said, given=text("points", count=entry.points), worth=entry.worth)
    if rule is None:
        return text("end.bare", said=said)
    return text("end.each" if entry.acts > 1 else "end.once", said=said, points=text("points", count=rule.points))
