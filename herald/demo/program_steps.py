"""What a programme does beside sharing: a template, a pilot, learning, listening, a newsletter."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from herald.demo.browser import Browser
from herald.demo.stage import MANAGER, ZONE, Stage
from herald.demo.texts import SURVEY
from herald.demo.visitors import BROWSERS

TEMPLATE = "visibility"
ON_OUR_CLOCK = ("DE", "ES", "FR")
"""Countries of the company whose clocks show the programme's hour: their readers get a newsletter at once."""
SENT_SECONDS = 90


class ProgramSteps(Stage):
    """From the template to the newsletter."""

    # --- set-up ------------------------------------------------------------------------------------------------------

    async def template(self) -> None:
        """The manager applies a starter template, and sends its rules of points where they are kept: for what it has no
        rule, Herald's own stay."""
        applied = await self.api.post(MANAGER, f"{self.path}/templates/{TEMPLATE}/apply", {"language": "en"})
        pieces = Counter(one["part"] for one in applied["pieces"] if one["outcome"] == "set")
        self.tally.objectives += pieces["objective"]
        self.tally.lessons = pieces["lesson"]
        path = f"/gamification/v1/programs/{self.tally.program_id}/rules"
        found = (await self.once_known(MANAGER, "GET", path)).json()
        rules = applied["template"]["rules"]
        ruled = {rule["act"] for rule in rules}
        order = {"rules": rules + [rule for rule in found["items"][0]["rules"] if rule["act"] not in ruled]}
        await self.api.call(MANAGER, "POST", path, order, headers={"If-Match": f'"{found["version"]}"'})

    # --- the pilot ---------------------------------------------------------------------------------------------------

    async def pilot(self) -> None:
        """One in ten goes first: a wave with a goal, whose cohort is known by name."""
        cohort = list(self.tally.joined)[: max(8, self.scale.ambassadors // 10)]
        wave = await self.api.post(
            MANAGER,
            f"{self.path}/waves",
            {
                "name": "Pilot",
                "goal": "Do some of us find the time, and do their networks answer?",
                "targets": {"participation": 0.3},
                "starts_on": self.today.isoformat(),
                "ends_on": (self.today + timedelta(weeks=6)).isoformat(),
                "criteria": {"people": cohort},
            },
        )
        self.tally.wave_id = wave["id"]
        await self.api.post(MANAGER, f"{self.path}/waves/{wave['id']}/start")
        self.tally.cohort = set(cohort)

    async def decision(self) -> None:
        """The manager says that the programme goes on, and why."""
        active = len(self.tally.cohort & self.tally.active)
        reasons = f"{active} of {len(self.tally.cohort)} shared on the first day, and their networks answered."
        order = {"decision": "go", "reasons": reasons}
        await self.api.post(MANAGER, f"{self.path}/waves/{self.tally.wave_id}/decision", order)
        self.tally.reasons = reasons

    # --- learning and listening --------------------------------------------------------------------------------------

    async def lesson(self) -> None:
        """One in four ambassadors reads the first lesson and answers its questions."""
        path = f"{self.path}/lessons"
        [first] = (await self.api.get(MANAGER, path, state="published", limit=1))["items"]
        written = await self.api.get(MANAGER, f"{path}/{first['id']}")
        right = {
            language: [
                [number for number, choice in enumerate(question["choices"]) if choice["right"]]
                for question in text["questions"]
            ]
            for language, text in written["latest"]["texts"].items()
        }
        self.tally.lesson_id = first["id"]
        readers = list(self.tally.joined.values())[: self.scale.ambassadors // 4]
        await self.all_of("lessons completed", readers, lambda email: self._learn(email, right))

    async def _learn(self, email: str, right: dict[str, list[list[int]]]) -> None:
        path = f"{self.path}/learning/{self.tally.lesson_id}"
        read = await self.api.get(email, path)
        answers = {"edition": read["edition"], "language": read["language"], "answers": right[read["language"]]}
        await self.api.post(email, f"{path}/answers", answers)
        self.tally.learned.add(self.ids[email])

    async def survey(self) -> None:
        """A pulse survey that the pilot answers, and that the manager closes."""
        days = {"opens_on": self.today.isoformat(), "closes_on": (self.today + timedelta(days=13)).isoformat()}
        made = await self.api.post(MANAGER, f"{self.path}/surveys", {**SURVEY, **days, "wave_id": self.tally.wave_id})
        self.tally.survey_id = made["id"]
        await self.api.post(MANAGER, f"{self.path}/surveys/{made['id']}/open")
        answers = [
            (email, self.chance.choice((4, 7, 8, 8, 9, 9, 10)), self.chance.randint(2, 5))
            for person, email in self.tally.joined.items()
            if person in self.tally.cohort
        ]
        await self.all_of("surveys answered", answers, lambda one: self._answer(*one))
        await self.api.post(MANAGER, f"{self.path}/surveys/{made['id']}/close")

    async def _answer(self, email: str, enps: int, score: int) -> None:
        order = {"enps": enps, "scores": [score]}
        await self.api.post(email, f"{self.path}/surveys/{self.tally.survey_id}/answers", order)
        self.tally.recommendations[enps] += 1

    # --- the newsletter ----------------------------------------------------------------------------------------------

    async def newsletter(self) -> None:
        """In the hub, the manager has a newsletter drafted; it is approved and scheduled for this very hour.

        Each reader has it at that hour of their own clock: it goes to those whose clocks show it now."""
        browser = Browser(self.api.url, BROWSERS[0])
        try:
            await browser.sign_in(MANAGER.split("@")[0])
            await browser.send("/manage/newsletters", "/program", program_id=self.tally.program_id)
            page = await browser.send("/manage/newsletters", "/manage/newsletters/draft")
            decided = await browser.read(f"/manage/waves/{self.tally.wave_id}")
        finally:
            await browser.close()
        self.tally.decision_shown = self.tally.reasons in decided
        id = self.tally.newsletter_id = page.rsplit("/", 1)[1].split("?")[0]
        path = f"{self.path}/newsletters/{id}"
        draft = await self.api.call(MANAGER, "GET", path)
        order = {name: draft.json()[name] for name in ("subjects", "blocks")}
        order["segment"] = {"countries": list(ON_OUR_CLOCK)}
        changed = await self.api.call(MANAGER, "PUT", path, order, headers={"If-Match": draft.headers["etag"]})
        await self.api.call(MANAGER, "POST", f"{path}/approve", headers={"If-Match": changed.headers["etag"]})
        now = datetime.now(ZoneInfo(ZONE))
        hour = {"send_on": now.date().isoformat(), "send_at": f"{now:%H:%M}"}
        await self.api.post(MANAGER, f"{path}/schedule", hour)
        countries = {one.email: one.country for one in self.company}
        self.tally.readers = {email for email in self.tally.joined.values() if countries[email] in ON_OUR_CLOCK}

    async def newsletter_sent(self) -> None:
        """Returns once all its mails are over, or after 90 s."""
        deadline = asyncio.get_running_loop().time() + SENT_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            found = await self.api.get(MANAGER, f"{self.path}/newsletters/{self.tally.newsletter_id}")
            self.progress("mails sent", found["counts"].get("sent", 0), len(self.tally.readers))
            if found["state"] == "sent":
                return
            await asyncio.sleep(0.5)
