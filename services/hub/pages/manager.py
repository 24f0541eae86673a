"""Steering a programme: who is invited, what it is for, what people agree to, and what may not be said."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from chassis.messages import LANGUAGES
from services.hub.clients import Json, Refusal
from services.hub.dependencies import Manager, Manages
from services.hub.view import View

router = APIRouter(prefix="/manage")
STATUSES = ("joined", "invited", "declined", "left")
USE_CASES = ("employer_brand", "awareness", "recruiting", "social_selling", "culture")
KPIS = ("shares", "clicks", "active_ambassadors", "participation_rate", "earned_media_value")
TIME_ZONES = (
    "Europe/Paris", "Europe/Berlin", "Europe/Brussels", "Europe/London", "Europe/Madrid", "Europe/Stockholm",
    "Europe/Zurich", "Africa/Casablanca", "America/Montreal", "America/New_York", "America/Los_Angeles",
    "America/Sao_Paulo", "Asia/Dubai", "Asia/Kolkata", "Asia/Singapore", "Asia/Tokyo", "Australia/Sydney", "UTC",
)  # fmt: skip
PAGE = 30


@router.get("/ambassadors")
async def ambassadors(view: Manager, status: str = "joined", query: str = "", cursor: str | None = None) -> Response:
    """Who takes part, and whom one could ask."""
    if view.program is None:
        return view.go("/manage/program")
    status = status if status in STATUSES else "joined"
    path = f"/v1/programs/{view.program.id}/ambassadors"
    calls: dict[str, Any] = {"ambassadors": view.apis.get("program", path, status=status, cursor=cursor, limit=PAGE)}
    if query:
        calls["people"] = view.apis.get("program", "/v1/people", query=query, limit=PAGE)
    found = await view.gather(**calls)
    return view.page(
        "manage/ambassadors.html",
        status=status,
        statuses=STATUSES,
        query=query,
        people=found.get("people"),
        ambassadors=found["ambassadors"],
    )


@router.post("/invitations")
async def invite(view: Manager) -> Response:
    """Invite persons by name, or a segment; nobody takes part before they say so themselves."""
    assert view.program is not None
    form = await view.form()
    people = [str(one) for one in form.getlist("person")]
    body: Json = {"people": people}
    if not people:
        segment = {
            "countries": _listed(str(form.get("countries", "")).upper()),
            "teams": _listed(str(form.get("teams", ""))),
            "leaders_only": "leaders_only" in form,
        }
        body = {
            "segment": segment,
            **({"limit": int(limit)} if (limit := str(form.get("limit", ""))).isdigit() else {}),
        }
    answer = await view.apis.call("program", "POST", f"/v1/programs/{view.program.id}/invitations", body)
    return view.go("/manage/ambassadors", toast="invited", status="invited", count=str(answer.data["invited"]))


@router.get("/program")
async def program(view: Manager) -> Response:
    """What the programme is for, and what its people agree to."""
    return await _program_page(view)


@router.post("/program")
async def create(view: Manager) -> Response:
    """A new programme."""
    order = {
        "name": (await view.field("name")).strip(),
        "time_zone": await view.field("time_zone", "UTC"),
        "languages": list(LANGUAGES),
        "consent": await _texts(view, "consent"),
    }
    try:
        answer = await view.apis.call("program", "POST", "/v1/programs", order)
    except Refusal as refusal:
        return await _program_page(view, refusal=refusal, order=order)
    assert view.session is not None
    await view.context.sessions.put(view.session, "choices", {**view.session.choices, "program_id": answer.data["id"]})
    return view.go("/manage/program", toast="program-created")


@router.post("/objective")
async def objective(view: Manager) -> Response:
    """The programme's one objective, set or changed."""
    assert view.program is not None
    order = {name: await view.field(name) for name in ("use_case", "kpi", "starts_on", "ends_on")} | {
        name: _number(await view.field(name)) for name in ("baseline", "target")
    }
    version = await view.field("version")
    try:
        await view.apis.call(
            "program",
            "PUT",
            f"/v1/programs/{view.program.id}/objective",
            order,
            version=int(version) if version.isdigit() else None,
        )
    except Refusal as refusal:
        return await _program_page(view, refusal=refusal, objective_order=order)
    return view.go("/manage/program", toast="objective-set")


@router.post("/guidelines")
async def guidelines(view: Manager) -> Response:
    """A new version of the guidelines."""
    assert view.program is not None
    order = {"texts": await _texts(view, "guidelines"), "material": "material" in await view.form()}
    try:
        await view.apis.call("program", "POST", f"/v1/programs/{view.program.id}/guidelines", order)
    except Refusal as refusal:
        return await _program_page(view, refusal=refusal)
    return view.go("/manage/program", toast="guidelines-published")


async def _program_page(
    view: View, *, refusal: Refusal | None = None, order: Json | None = None, objective_order: Json | None = None
) -> Response:
    found: dict[str, Any] = {"objective": None, "guidelines": {}, "consent": {}}
    version: int | None = None
    if view.program is not None:
        path = f"/v1/programs/{view.program.id}"
        texts = {f"guidelines_{one}": view.apis.get("program", f"{path}/guidelines", language=one) for one in LANGUAGES}
        answers = await view.gather(
            objective=view.apis.call("program", "GET", f"{path}/objective"),
            consent=view.apis.get("program", f"{path}/consent", language=view.language.code),
            **texts,
        )
        if hasattr(answers["objective"], "data"):
            found["objective"], version = answers["objective"].data, answers["objective"].version
        found["consent"] = answers["consent"]
        found["guidelines"] = {one: answers[f"guidelines_{one}"] for one in LANGUAGES}
    return view.page(
        "manage/program.html",
        422 if refusal else 200,
        refusal=refusal,
        errors=view.violations(refusal) if refusal else {},
        order=order or {},
        objective_order=objective_order or found["objective"] or {},
        version=version,
        use_cases=USE_CASES,
        kpis=KPIS,
        time_zones=TIME_ZONES,
        **found,
    )


@router.get("/guardrails")
async def guardrails(view: Manages) -> Response:
    """What a post always says, and what it never may."""
    if view.program is None:
        return view.go("/")
    answer = await view.apis.call("sharing", "GET", f"/v1/programs/{view.program.id}/guardrails")
    return view.page("manage/guardrails.html", guardrails=answer.data, version=answer.version, errors={}, refusal=None)


@router.post("/guardrails")
async def change_guardrails(view: Manages) -> Response:
    assert view.program is not None
    form = await view.form()
    columns = [
        [str(one).strip() for one in form.getlist(name)] for name in ("country", "disclosure_language", "disclosure")
    ]
    disclosures: dict[str, dict[str, str]] = {}
    for country, language, words in zip(*columns, strict=False):
        if country and words:
            disclosures.setdefault(country if country == "*" else country.upper(), {})[language] = words
    names = ("phrase", "phrase_language", "severity", "suggestion")
    forbidden: list[Json] = []
    for phrase, language, severity, suggestion in zip(
        *([str(one).strip() for one in form.getlist(n)] for n in names), strict=False
    ):
        if phrase:
            optional = {"language": language, "suggestion": suggestion}
            found = {name: value for name, value in optional.items() if value}
            forbidden.append({"phrase": phrase, "severity": severity or "block", **found})
    order = {"disclosures": disclosures, "forbidden": forbidden}
    version = str(form.get("version", ""))
    try:
        await view.apis.call(
            "sharing",
            "PUT",
            f"/v1/programs/{view.program.id}/guardrails",
            order,
            version=int(version) if version.isdigit() else None,
        )
    except Refusal as refusal:
        return view.page(
            "manage/guardrails.html",
            422,
            guardrails=order,
            version=version,
            errors=view.violations(refusal),
            refusal=refusal,
        )
    return view.go("/manage/guardrails", toast="saved")


async def _texts(view: View, name: str) -> dict[str, str]:
    """A text in the languages in which it was written."""
    found = {language: (await view.field(f"{name}_{language}")).strip() for language in LANGUAGES}
    return {language: text for language, text in found.items() if text}


def _number(text: str) -> float | str:
    """The number as written in either language; the text itself where it is none, for the API to refuse."""
    plain = text.replace("\u202f", "").replace("\u00a0", "").replace(" ", "").replace(",", ".")
    try:
        return float(plain)
    except ValueError:
        return text


def _listed(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]
