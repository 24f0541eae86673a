"""What ambassadors do beside sharing: they refer a candidate, and come to an event."""

from __future__ import annotations

import json
import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from chassis.web.signatures import secret_of, sign
from herald.demo.stage import EDITOR, MANAGER, Stage
from herald.demo.texts import job_offer
from herald.local import credentials

STEPS_TO_HIRED = ("applied", "in_review", "interview", "offer", "hired")


class ActsSteps(Stage):
    """A referral up to hired, and check-ins."""

    async def referral(self) -> None:
        """An ambassador refers somebody to a job offer; signed calls of the recruiting system tell how far they are."""
        item = await self.api.post(EDITOR, "/content/v1/items", job_offer(self.tally.program_id))
        await self.api.post(EDITOR, f"/content/v1/items/{item['id']}/submit")
        self.tally.submitted.add(item["id"])
        await self.api.post(EDITOR, f"/content/v1/items/{item['id']}/publish")
        self.tally.published.add(item["id"])
        person_id, email = next(iter(self.tally.joined.items()))
        path = f"{self.path}/job-offers/{item['id']}/link"
        link = (await self.once_known(email, "POST", path)).json()
        for state in STEPS_TO_HIRED:
            call: dict[str, Any] = {"link": link["code"], "candidate": "ATS-20417", "state": state}
            if state == "applied":
                call |= {"consented_at": datetime.now(UTC).isoformat(), "email": "sam@mail.example"}
            await self._tell(call)
        self.tally.other_acts["referral"].append(person_id)
        self.tally.other_acts["hire"].append(person_id)

    async def _tell(self, call: dict[str, Any]) -> None:
        """What the recruiting system says, signed with the secret of this installation."""
        secret = credentials.environment(self.api.home)[credentials.RECRUITING]
        body, id, now = json.dumps(call).encode(), f"msg_{secrets.token_hex(8)}", int(time.time())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": id,
            "webhook-timestamp": str(now),
            "webhook-signature": sign(secret_of(secret), id, now, body),
        }
        answer = await self.api.client.post("/api/program/v1/recruiting-calls", content=body, headers=headers)
        answer.raise_for_status()

    async def event(self) -> None:
        """An open day to which some come: they scan its code at the door."""
        now = datetime.now(UTC)
        times = {"starts_at": now.isoformat(), "ends_at": (now + timedelta(hours=3)).isoformat()}
        place = {"title": "Open day in Lyon", "place": "Hall 3"}
        event = await self.api.post(MANAGER, f"{self.path}/events", {**place, **times, "audience": {"everybody": True}})
        self.tally.event_id = event["id"]
        guests = list(self.tally.joined.values())[:: max(1, self.scale.ambassadors // 20)]
        await self.all_of("guests checked in", guests, lambda email: self._check_in(email, event["code"]))

    async def _check_in(self, email: str, code: str) -> None:
        await self.api.post(email, "/program/v1/check-ins", {"code": code})
        self.tally.other_acts["event"].append(self.ids[email])
