"""Whatever a service refuses is said in the reader's language: by rule and parameters, in both languages."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from chassis.messages import LANGUAGES
from chassis.rules import RULES, broken, rule_of
from services.content.domain.items import State
from services.hub.clients import Refusal
from services.hub.language import MESSAGES, Language
from services.hub.refusals import field_label, refusal_sentence, refusal_summary
from services.sharing.domain.guardrails import Rule, default_guardrails, review
from services.sharing.networks import NETWORKS

ROOT = Path(__file__).parents[3]
SOURCES = [path for room in ("services", "chassis") for path in sorted((ROOT / room).rglob("*.py"))]
SERVICES = ("content", "gamification", "metrics", "program", "sharing")
PLACES = ("", "feed", "csv", "history")
RULE_AT = {
    "AddressRefused": 0,
    "FeedRefused": 0,
    "FetchRefused": 0,
    "FieldError": 0,
    "Invalid.one": 1,
    "LineError": 2,
    "LineViolation": 1,
    "NotAFeed": 0,
    "NotPast": 1,
    "Violation": 1,
    "_Wrong": 0,
    "_refuse": 0,
    "batch.refuse": 2,
    "broken": 0,
    "not_sent": 3,
}
"""Where the rule stands among the arguments of what refuses."""
ENGLISH = re.compile(
    r"\b(?:the|this|that|is|are|be|at least|at most|must|should|must|please|valid|input|string|value|field|needed|"
    r"choose|write|with|your|already|of)\b",
    re.IGNORECASE,
)
RAW = re.compile(r"[\^\[\]{}\\]|\b[a-z_]+\.[a-z_]+\.|(?<!example)\b[a-z]+_[a-z]+\.[a-z0-9_]+")
RECRUITING = {"signature-refused", "call-id-reused", "referral-order", "referral-over", "own-referral"}
UNSEEN = {"unauthenticated", "internal", "overloaded", "too-many-requests", "malformed-json", "media-type", *RECRUITING}
"""Types of problems that become a page of their own, or that only a program can cause."""


def refusing() -> Iterator[tuple[str, str, set[str]]]:
    """Each rule that code of ours names, with its field where that stands beside it, and its parameters."""
    for path in SOURCES:
        for call in ast.walk(ast.parse(path.read_text())):
            if not isinstance(call, ast.Call):
                continue
            name = ast.unparse(call.func)
            at = RULE_AT.get(name, RULE_AT.get(name.rpartition(".")[2]))
            if at is None or at >= len(call.args):
                continue
            rule, field = call.args[at], call.args[at - 1] if at else None
            if isinstance(rule, ast.Constant) and isinstance(rule.value, str):
                yield rule.value, _text(field), _params(call)


def _text(field: ast.expr | None) -> str:
    if isinstance(field, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else "0" for one in field.values)
    return str(field.value) if isinstance(field, ast.Constant) else ""


def _params(call: ast.Call) -> set[str]:
    found = {one.arg for one in call.keywords if one.arg} - {"params"}
    for one in call.keywords:
        if one.arg == "params" and isinstance(one.value, ast.Dict):
            found |= {str(key.value) for key in one.value.keys if isinstance(key, ast.Constant)}
    return found


def routes() -> Iterator[APIRoute]:
    for service in SERVICES:
        router = importlib.import_module(f"services.{service}.api").router
        found = [context.original_route for context in iter_route_contexts(router.routes)]
        yield from (route for route in found if isinstance(route, APIRoute))


def schemas() -> Iterator[tuple[str, Any]]:
    """What requests bring, as Pydantic's core schemas."""
    for route in routes():
        dependants = [route.dependant]
        while dependants:
            dependant = dependants.pop()
            dependants += dependant.dependencies
            for one in (*dependant.path_params, *dependant.query_params, *dependant.header_params):
                yield f"{route.path} {one.alias}", one._type_adapter.core_schema
        if route.body_field is not None:
            yield f"{route.path} body", route.body_field._type_adapter.core_schema


TYPES = {
    "str": ("string_type", "string_unicode"),
    "int": ("int_type", "int_parsing", "int_from_float"),
    "float": ("float_type", "float_parsing", "finite_number"),
    "decimal": ("decimal_type", "decimal_parsing"),
    "bool": ("bool_type", "bool_parsing"),
    "list": ("list_type",),
    "tuple": ("tuple_type",),
    "set": ("set_type",),
    "dict": ("dict_type",),
    "model": ("model_type", "model_attributes_type"),
    "model-fields": ("missing", "extra_forbidden"),
    "date": ("date_type", "date_parsing", "date_from_datetime_parsing"),
    "datetime": ("datetime_type", "datetime_parsing", "datetime_from_date_parsing"),
}
LENGTHS = {"min_length": "too_short", "max_length": "too_long"}
BOUNDS = {"ge": "greater_than_equal", "gt": "greater_than", "le": "less_than_equal", "lt": "less_than"}


def errors_of(schema: Any) -> Iterator[dict[str, Any]]:
    """Every error that Pydantic can find by a core schema, as it reports it."""
    if isinstance(schema, dict):
        yield from own_errors(schema)
        schema = [inner for name, inner in schema.items() if name not in ("metadata", "serialization")]
    if isinstance(schema, list | tuple):
        for one in schema:
            yield from errors_of(one)


def own_errors(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    kind = schema.get("type")
    if isinstance(kind, str):
        yield from ({"type": one, "ctx": {}} for one in TYPES.get(kind, ()))
    for name, type_ in LENGTHS.items():
        if isinstance(schema.get(name), int):
            yield {"type": f"string_{type_}" if kind == "str" else type_, "ctx": {name: schema[name]}}
    if kind in ("int", "float", "decimal"):
        yield from ({"type": BOUNDS[name], "ctx": {name: schema[name]}} for name in BOUNDS if name in schema)
        if "decimal_places" in schema:
            yield {"type": "decimal_max_places", "ctx": {"decimal_places": schema["decimal_places"]}}
    if kind == "str" and "pattern" in schema:
        yield {"type": "string_pattern_mismatch", "ctx": {"pattern": schema["pattern"]}}
    if kind == "literal":
        yield {"type": "literal_error", "ctx": {"expected": " or ".join(map(repr, schema["expected"]))}}


def said(code: str, rule: str, field: str, params: dict[str, Any], about: str = "") -> str:
    sentence = refusal_sentence(Language(code), {"rule": rule, "field": field, "params": params}, about)
    assert rule == "invalid" or sentence != refusal_sentence(Language(code), {"rule": "invalid"}), f"{rule} {params}"
    return str(sentence)


def check(code: str, sentence: str) -> None:
    plain = re.sub(r"https?://|www\.example\.com|\w+@example\.com|[a-z]+_at\b", "", sentence)
    assert not RAW.search(plain), sentence
    if code == "fr":
        assert not ENGLISH.search(plain), sentence


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_rule_that_the_code_names_has_a_sentence(code: str) -> None:
    rules = list(refusing())
    assert {"past", "control-character", "too-many-lines", "empty-segment", "host", "rfc3339"} <= {
        one for one, *_ in rules
    }
    for rule, field, params in rules:
        for about in PLACES:
            values = {name: 3 if name not in ("excerpt", "phrase", "currency", "language") else "fr" for name in params}
            check(code, said(code, rule, field, values, about))


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_finding_of_the_guardrails_has_a_sentence(code: str) -> None:
    caption = "Best in the world: guaranteed returns, amina@herald.example, +33 1 42 68 53 00. " + "x" * 300
    x = NETWORKS["x"]
    link = "https://herald.example/l/Ab3dE6gH"
    verdict = review(caption, default_guardrails("p"), network=x, country="FR", language="en", link=link)
    assert {one.rule for one in verdict.findings} == set(get_args(Rule))
    for one in verdict.findings:
        sentence = said(code, one.rule, one.field, dict(one.params))
        assert one.detail.partition(".")[0] in sentence or code != "en"
        check(code, sentence.replace(one.excerpt, ""))


@pytest.mark.parametrize("code", LANGUAGES)
def test_whatever_pydantic_finds_wrong_with_a_request_has_a_rule_and_a_sentence(code: str) -> None:
    seen = set()
    for where, schema in schemas():
        for error in errors_of(schema):
            rule, params = rule_of({"loc": (), "msg": "", "input": None, **error})  # type: ignore[typeddict-item]
            assert rule != "invalid", f"{where}: {error}"
            check(code, said(code, rule, where.rpartition(" ")[2], params))
            seen.add(rule)
    assert {
        "required",
        "unknown-field",
        "too-long",
        "too-many",
        "one-of",
        "country",
        "at-most",
        "boolean",
        "above",
        "number",
    } <= seen


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_sentence_of_a_refusal_shows_what_is_inside(code: str) -> None:
    for key, forms in MESSAGES.catalogue(code).items():
        if key.startswith(("rule.", "refused.")):
            for form in forms:
                check(code, re.sub(r"\{\w+\}", "", form))


def test_no_sentence_is_kept_for_a_rule_that_nothing_names() -> None:
    named = {rule for rule, *_ in refusing()} | set(get_args(Rule)) | RULES | {"url"}  # of a redirect of a feed
    kept = {key.split(".")[1] for key in MESSAGES.catalogue("en") if key.startswith("rule.")}
    assert kept - named == set()


def test_every_type_of_problem_that_a_page_can_meet_has_a_sentence() -> None:
    types = {f"already-{state.replace('_', '-')}" for state in get_args(State)}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "type_" and isinstance(node.value, ast.Constant):
                types.add(str(node.value.value))
    assert {"already-confirmed", "own-account", "feed-exists"} <= types
    found = MESSAGES.catalogue("en")
    pages = {"person-needed", "scope-missing", "unknown-person"}
    assert {one for one in types - UNSEEN - pages if f"refused.{one}" not in found} == set()


def test_an_unknown_rule_or_parameters_of_another_version_are_said_in_general() -> None:
    french = Language("fr")
    general = refusal_sentence(french, {"rule": "invalid"})
    assert refusal_sentence(french, {"rule": "of-next-year", "detail": "Input should be blue"}) == general
    assert refusal_sentence(french, {"rule": "too-long", "params": {"most": 5}}) == general
    assert refusal_sentence(french, {}) == general
    assert refusal_summary(french, Refusal("content", 409, {"type": "new", "detail": "Some English."})) == (
        french.text("refused.refused")
    )


def test_a_sentence_is_that_of_the_field_or_the_place_where_there_is_one() -> None:
    french = Language("fr")
    assert "chargez" not in refusal_sentence(french, {"rule": "too-large", "params": {"max": 64}})
    assert refusal_sentence(french, {"rule": "too-large"}, "feed") == "Ce flux est trop volumineux."
    assert refusal_sentence(french, {"rule": "duplicate", "field": "captions.1.text"}) == "Cette légende est déjà là."


def test_numbers_days_languages_and_plurals_stand_as_their_reader_writes_them() -> None:
    french, english = Language("fr"), Language("en")
    assert refusal_sentence(french, {"rule": "too-long", "params": {"max": 2048}}) == "Au plus 2\u202f048 caractères."
    assert refusal_sentence(english, {"rule": "too-long", "params": {"max": 1}}) == "At most 1 character."
    assert refusal_sentence(french, {"rule": "number"}) == "Il faut un nombre, comme 12,5."
    assert refusal_sentence(english, {"rule": "number"}) == "A number is needed, such as 12.5."
    missing = {"rule": "language-missing", "params": {"language": "fr"}}
    assert refusal_sentence(french, missing) == "Il manque le texte en français."
    assert refusal_sentence(english, missing) == "The text in French is missing."
    since = {"rule": "past", "field": "valid_from", "params": {"today": "2026-03-02"}}
    assert refusal_sentence(french, since) == "À partir du 2 mars 2026."


def test_what_people_wrote_is_escaped_in_a_sentence() -> None:
    found = refusal_sentence(Language("en"), {"rule": "discouraged-phrase", "params": {"excerpt": "<b>", "phrase": ""}})
    assert "&lt;b&gt;" in found


@pytest.mark.parametrize(
    ("field", "label"),
    [
        ("targeting.countries.0", "Pays 1"),
        ("captions.1.text", "Légende 2"),
        ("url", "Adresse de la page à partager"),
        ("variants.0.title", "Titre 1"),
        ("segment.something", ""),
        ("", ""),
    ],
)
def test_a_field_is_called_as_on_its_page(field: str, label: str) -> None:
    assert field_label(Language("fr"), field) == label


def test_a_validator_of_ours_names_rule_and_parameters() -> None:
    error = broken("too-long", "At most 5.", max=5)
    found = {"type": error.type, "ctx": error.context, "loc": (), "msg": "", "input": ""}
    assert rule_of(found) == ("too-long", {"max": 5})  # type: ignore[arg-type]
