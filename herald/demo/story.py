"""The company's first day, act by act, through the same APIs that everybody uses."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from zoneinfo import ZoneInfo

from herald.demo.acts_steps import ActsSteps
from herald.demo.company import to_csv
from herald.demo.history import SOURCE, WEEKS, make_history
from herald.demo.program_steps import ProgramSteps
from herald.demo.sharing_steps import SharingSteps
from herald.demo.stage import ADMIN, EDITOR, MANAGER, ZONE
from herald.demo.texts import CONSENT, GUIDELINES
from herald.development.personas import PERSONAS
from services.hub.clients import Apis, Caller
from services.hub.history.importer import File, Importer
from services.hub.history.plan import Plan

NAME = "Northwind Voices"
NEWCOMERS = 9
"""About one of ten ambassadors joins on the demo's day; the others were in the former product."""
TARGET = 4000


class Story(SharingSteps, ProgramSteps, ActsSteps):
    """The acts in order."""

    @property
    def acts(self) -> list[Callable[[], Awaitable[None]]]:
        """The whole story, but for the newsletter, which tells what the figures say of it."""
        return [
            self.people,
            self.programme,
            self.template,
            self.history,
            self.invitations,
            self.pilot,
            self.content,
            self.shares,
            self.clicks,
            self.lesson,
            self.survey,
            self.referral,
            self.event,
            self.decision,
        ]

    async def people(self) -> None:
        """The administrator imports the personnel file and gives the team its roles."""
        await self.api.call(ADMIN, "PUT", "/program/v1/me", {})
        preview = await self.api.post(
            ADMIN, "/program/v1/imports", content=to_csv(self.company), headers={"Content-Type": "text/csv"}
        )
        if preview["errors"]:
            raise AssertionError(f"the personnel file has errors: {preview['errors'][:3]}")
        await self.api.post(ADMIN, f"/program/v1/imports/{preview['id']}/confirm")
        while True:
            found = await self.api.get(ADMIN, f"/program/v1/imports/{preview['id']}")
            self.progress("people imported", found["done"], found["valid"])
            if found["state"] == "done":
                break
            await asyncio.sleep(0.1)
        self.tally.people = len(self.company)
        for who, role in ((EDITOR, "editor"), (MANAGER, "manager")):
            me = (await self.api.call(who, "PUT", "/program/v1/me", {})).json()
            person = await self.api.call(ADMIN, "GET", f"/program/v1/people/{me['id']}")
            roles = sorted({*person.json()["roles"], role})
            await self.api.call(
                ADMIN,
                "PATCH",
                f"/program/v1/people/{me['id']}",
                {"roles": roles},
                headers={"If-Match": person.headers["etag"]},
            )

    async def programme(self) -> None:
        """The manager sets the programme up: consent, guidelines, an objective."""
        there = {one["name"] for one in await self.api.pages(MANAGER, "/program/v1/programs", limit=100)}
        names = (f"{NAME} {number}" if number > 1 else NAME for number in count(1))
        program = await self.api.post(
            MANAGER,
            "/program/v1/programs",
            {
                "name": next(name for name in names if name not in there),
                "time_zone": ZONE,
                "languages": ["fr", "en"],
                "consent": CONSENT,
            },
        )
        self.tally.program_id = program["id"]
        path = f"/program/v1/programs/{program['id']}"
        await self.api.post(MANAGER, f"{path}/guidelines", {"texts": GUIDELINES, "material": True})
        today = self.tally.today = self.today
        objective = await self.api.post(
            MANAGER,
            f"{path}/objectives",
            {
                "title": "A company with a voice",
                "use_case": "employer_brand",
                "kpi": "shares",
                "baseline": 0,
                "target": TARGET * self.scale.ambassadors // 300,
                "starts_on": (today - timedelta(weeks=WEEKS)).isoformat(),
                "ends_on": (today + timedelta(days=35)).isoformat(),
            },
        )
        self.tally.objective_id = objective["id"]
        self.tally.objectives = 1

    async def history(self) -> None:
        """The manager decides that the past counts, and imports it from the former product."""
        former = self._chosen()[: self.scale.ambassadors * NEWCOMERS // 10]
        stayed = [person for person in self.company if person.email in set(former)]
        gone = [person for person in self.company if person.email in set(self._others())][: len(stayed) // 10]
        past = make_history([*stayed, *gone], self.scale.seed, self.today, ZoneInfo(ZONE))
        self.tally.history = past
        await self._let_history_count()
        apis = Apis(
            self.api.client,
            {one: f"/api/{one}" for one in ("program", "content", "sharing")},
            Caller(await self.api.token(MANAGER)),
        )
        importer = Importer(apis, self.tally.program_id, SOURCE)
        await self._await_everywhere()
        files = [File(name, data) for name, data in past.files().items()]
        plan = Plan(files, ZONE, datetime.now(UTC))
        report = await plan.run(importer, preview=False, tell=partial(self.progress, "history imported"))
        self.tally.imported = dict(report.new)
        if report.refused:
            raise AssertionError(f"history was refused: {report.errors[:3]}")

    async def _let_history_count(self) -> None:
        """Imported acts earn points from the first of the twelve weeks on, by the rules that there are."""
        path = f"/gamification/v1/programs/{self.tally.program_id}/rules"
        found = (await self.once_known(MANAGER, "GET", path)).json()
        order = {
            "rules": found["items"][0]["rules"],
            "imported_since": (self.today - timedelta(weeks=WEEKS)).isoformat(),
        }
        await self.api.call(MANAGER, "POST", path, order, headers={"If-Match": f'"{found["version"]}"'})

    async def _await_everywhere(self) -> None:
        """Returns when content and sharing know the manager and the programme."""
        program = self.tally.program_id
        await self.once_known(MANAGER, "GET", f"/sharing/v1/programs/{program}/guardrails")
        order = {"program_id": program, "source": SOURCE, "items": []}
        await self.once_known(MANAGER, "POST", "/content/v1/items/resolve", order)

    async def invitations(self) -> None:
        """The manager invites; people accept, decline or think about it. Nobody is enrolled."""
        listed = await self.api.pages(MANAGER, "/program/v1/people", limit=100)
        self.ids = {one["email"]: one["id"] for one in listed if one.get("email")}
        chosen = self._chosen()
        hesitant = self._others()[: self.scale.ambassadors // 5]
        path = f"/program/v1/programs/{self.tally.program_id}"
        await self.api.post(
            MANAGER, f"{path}/invitations", {"people": [self.ids[email] for email in chosen + hesitant]}
        )
        self.tally.invited = {self.ids[email] for email in chosen + hesitant}
        consent = await self.api.get(MANAGER, f"{path}/consent", language="en")
        await self.all_of("ambassadors joining", chosen, lambda email: self._join(email, consent["version"]))
        refusing = hesitant[: len(hesitant) // 3]
        await self.all_of("invitations declined", refusing, self._decline)
        lead = {one.email for one in self.company if one.leader}
        self.tally.leaders = {self.ids[email] for email in chosen if email in lead}

    def _chosen(self) -> list[str]:
        """Whom the manager invites and who accepts: the named personas, some leaders, and others by the seed."""
        return self._drawn_people()[: self.scale.ambassadors]

    def _others(self) -> list[str]:
        """Those who do not take part now."""
        return self._drawn_people()[self.scale.ambassadors :]

    def _drawn_people(self) -> list[str]:
        named = [one.email for one in PERSONAS if one.ambassador]
        others = [one.email for one in self.company if one.email not in {persona.email for persona in PERSONAS}]
        leaders = [one.email for one in self.company if one.leader and one.email in set(others)]
        first = named + leaders[: self.scale.ambassadors // 12]
        rest = [email for email in others if email not in set(first)]
        random.Random(self.scale.seed).shuffle(rest)  # noqa: S311 - a demo, repeatable
        return first + rest

    async def _join(self, email: str, consent_version: int) -> None:
        path = f"/program/v1/programs/{self.tally.program_id}"
        await self.api.call(email, "PUT", "/program/v1/me", {})
        await self.api.post(email, f"{path}/join", {"consent_version": consent_version})
        self.tally.joined[self.ids[email]] = email
        await self.api.post(email, f"{path}/guidelines/1/acknowledge")
        self.tally.acknowledged.add(self.ids[email])

    async def _decline(self, email: str) -> None:
        await self.api.call(email, "PUT", "/program/v1/me", {})
        await self.api.post(email, f"/program/v1/programs/{self.tally.program_id}/decline")
        self.tally.declined.add(self.ids[email])
