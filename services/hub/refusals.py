"""Why something was refused, in the reader's language: by rule and parameters, or by the type of the problem.

The words of a service are English and for programs: no page shows them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from markupsafe import Markup

from services.hub.clients import Refusal
from services.hub.language import Language

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_COUNTED: Final = ("max", "min", "days", "columns")
_LABELS: Final[Mapping[str, str]] = {
    "baseline": "objective.baseline",
    "captions": "editor.caption_text",
    "category": "editor.category",
    "closes_on": "surveys.closes",
    "colour": "program.colour",
    "columns": "import.columns.title",
    "comment": "editor.comment",
    "consent": "program.consent",
    "countries": "editor.countries",
    "country": "people.country",
    "disclosures": "guardrails.disclosures",
    "ends_on": "objective.ends",
    "expires_at": "editor.expires",
    "forbidden": "guardrails.forbidden",
    "image_url": "editor.image",
    "kind": "editor.kind",
    "kpi": "objective.kpi",
    "items": "objective.items",
    "learned": "objective.learned",
    "act": "acts.kind",
    "happened_on": "acts.happened",
    "link": "acts.link",
    "reason": "acts.reason",
    "language": "editor.caption_language",
    "limit": "invite.limit",
    "name": "program.name",
    "network": "editor.caption_network",
    "opens_on": "surveys.opens",
    "enps": "waves.enps",
    "participation": "waves.participation",
    "retention": "waves.retention",
    "decision": "waves.decide",
    "decided_by": "waves.decided_by",
    "reasons": "waves.reasons",
    "goal": "waves.goal",
    "changes": "waves.changes",
    "people": "waves.people",
    "criteria": "waves.who",
    "owner_id": "objective.owner",
    "phrase": "guardrails.phrase",
    "person": "lead.deputy_who",
    "posts_hoped": "leaders.hope_label",
    "roles": "people.roles",
    "severity": "guardrails.severity",
    "starts_on": "objective.starts",
    "suggestion": "guardrails.suggestion",
    "summary": "editor.summary",
    "target": "objective.target",
    "team": "people.team",
    "teams": "editor.teams",
    "text": "guardrails.text",
    "texts": "guidelines.title",
    "time_zone": "program.zone",
    "title": "editor.title",
    "url": "editor.url",
    "use_case": "objective.use_case",
}
"""What pages call a field of an API."""


def refusal_sentence(language: Language, error: Mapping[str, Any], about: str = "") -> Markup:
    """The sentence for a broken rule: `error` has `rule`, `params` and `field`, as the `errors` of a problem have.

    `about` names where it happened (`feed`, `csv`, ...): a rule may have a sentence of its own there, as it may have
    for a field. A rule that is not known, of a newer service, is said in general.
    """
    rule = str(error.get("rule") or "")
    field = str(error.get("field") or "").rpartition(".")[2]
    values = _values(language, error.get("params") or {})
    for key in (f"rule.{rule}.{about}", f"rule.{rule}.{field}", f"rule.{rule}"):
        if language.has(key):
            try:
                return language.text(key, **values)
            except KeyError:  # a service of another version gives other parameters
                continue
    return language.text("rule.invalid")


def refusal_summary(language: Language, refusal: Refusal) -> Markup:
    """Why a service said no to the whole request."""
    key = f"refused.{refusal.type}"
    return language.text(key if language.has(key) else "refused.refused")


def refusal_place(language: Language, error: Mapping[str, Any], about: str = "") -> str:
    """Where it is, for what no field of a form stands for: the line of a file, and what the field is called there."""
    line, field = error.get("line"), str(error.get("field") or "")
    column = f"import.column.{field}"
    if about == "history":
        label = field if line else ""
    else:
        label = str(language.text(column)) if about == "csv" and language.has(column) else field_label(language, field)
    numbered = str(language.text("import.line", line=line)) if line else ""
    return " · ".join(filter(None, (str(error.get("file") or "") if line else "", numbered, label)))


def field_label(language: Language, field: str) -> str:
    """What a page calls a field of an API, with its place in a list: `captions.1.text` is "Légende 2". Empty for one
    that no page shows."""
    steps = field.split(".")
    for at in range(len(steps) - 1, -1, -1):
        if key := _LABELS.get(steps[at] if steps[at] != "text" or at < 2 else steps[at - 2]):
            place = next((int(one) + 1 for one in steps if one.isdecimal() and len(one) < 6), None)
            return f"{language.text(key)} {language.number(place)}" if place else str(language.text(key))
    return ""


def _values(language: Language, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as they stand in a sentence; `count` chooses its plural form."""
    count = next((params[name] for name in _COUNTED if isinstance(params.get(name), int | float)), 0)
    example = language.entry(12.5)
    return {
        "count": count,
        "example": example,
        **{name: _value(language, name, value) for name, value in params.items()},
    }


def _value(language: Language, name: str, value: Any) -> Any:
    if name == "language":
        return language.locale.languages.get(str(value).partition("-")[0], value)
    if isinstance(value, str) and _DAY.fullmatch(value):
        return language.day(date.fromisoformat(value))
    return value
