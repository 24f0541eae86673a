"""Bounces from a mailbox, on a real IMAP server: each is taken once, and nothing that is there stops mails."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest

from services.program.mail import bounces
from services.program.mail.bounces import BounceReader
from services.program.mail.mailbox import Account, Mailbox, Unreachable
from tests.imap import imap_server
from tests.integration.program.test_mail import Post, post, self_signed

__all__ = ["post"]
DSN = Path(__file__).with_name("bounce.eml").read_text()
COMPLAINT = Path(__file__).with_name("complaint.eml").read_text()


def reader(post: Post, account: Account) -> BounceReader:
    return BounceReader(post.service.context, account, post.service.runtime.telemetry)


@dataclass
class Stops:
    """A job that is told to end after so many looks."""

    job: Any
    after: int

    @property
    def lease(self) -> Any:
        return self.job.lease

    @property
    def may_go_on(self) -> bool:
        self.after -= 1
        return self.after >= 0


def bounce(sender: str, number: int, status: str = "5.1.1") -> bytes:
    said = DSN.replace("TO@HERE", sender).replace("STATUS", status)
    return f"Message-ID: <{number}@mx.x.example>\n{said}".encode()


async def test_what_comes_to_the_mailbox_is_taken_once(post: Post, tmp_path: Path) -> None:
    await post.ambassadors("ada", "bea", "cem", "dia")
    await post.scheduled()
    await post.run()
    to = {one.recipient.partition("@")[0]: one.sender for one in post.smtp.taken}
    messages = (
        b"From: cem@x.example\nTo: " + to["cem"].encode() + b"\nSubject: Re: Voices\n\nThank you!\n",
        bounce(to["ada"], 1),
        bounce(f"bounces+{'a' * 26}@herald.test", 2),
        b"To: " + to["cem"].encode() + b"\nContent-Type: multipart/report; boundary=\n\n\xff\x00--\n",
        COMPLAINT.replace("TO@HERE", to["bea"]).encode(),
        bounce(to["cem"], 4, "4.2.2").replace(b"failed", b"delayed"),
        bounce(to["dia"], 5, "5.2.2"),
    )
    certificate, tls = self_signed(tmp_path)
    async with imap_server(certificate, tls) as server:
        one = reader(post, server.account)
        await one.run(post.job)
        await server.deliver(*messages[:3])
        await reader(post, server.account).run(
            cast(Any, Stops(post.job, after=2))
        )  # it ends in the middle, another goes on
        await server.deliver(*messages[3:])
        await one.run(post.job)
        await one.run(post.job)
        assert one._failing_since is None
        assert await server.unread() == 3, "what is no report of ours is left for a person"
        assert (await post.ok("ada", "GET", "/me/mails"))["stopped"] == "bounced"
        assert (await post.ok("bea", "GET", "/me/mails"))["stopped"] == "complained"
        assert [(await post.ok(name, "GET", "/me/mails"))["stopped"] for name in ("cem", "dia")] == [None, None]
        assert await post.states() == {"ada": "refused", "bea": "sent", "cem": "sent", "dia": "refused"}

        # Ada asks for mails again. The same report, from a mailbox that was made anew or by the webhook, is an old one.
        wanted = {"kind": "newsletter", "program_id": post.path.split("/")[2], "wanted": True}
        await post.ok("ada", "PUT", "/me/mails", wanted)
        machine = post.harness.issuer.token("mail-gateway", scope="herald:mail:write", client_id="mail-gateway")
        sent = {"Authorization": f"Bearer {machine}", "Content-Type": "message/rfc822"}
        answer = await post.client.post("/v1/mail/reports", content=messages[1], headers=sent)
        assert answer.json() == {"known": True}
    async with imap_server(certificate, tls) as server:
        await server.deliver(*messages)
        await reader(post, server.account).run(post.job)
        assert await server.unread() == 3
        assert (await post.ok("ada", "GET", "/me/mails"))["stopped"] is None
        await server.deliver(bounce(to["ada"], 6))
        await reader(post, server.account).run(post.job)
        assert (await post.ok("ada", "GET", "/me/mails"))["stopped"] == "bounced"


async def test_a_mailbox_that_cannot_be_read_stops_nothing(
    post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await post.ambassadors("ada")
    await post.scheduled()
    await post.run()
    [mail] = post.smtp.taken
    certificate, tls = self_signed(tmp_path)
    async with imap_server(certificate, tls, "starttls") as server:
        await server.deliver(bounce(mail.sender, 1))
        wrong: dict[str, Any] = {"password": "wrong", "folder": "Nowhere", "ca_file": None, "port": 1}
        for name, value in wrong.items():
            with pytest.raises(Unreachable) as refused:
                await asyncio.to_thread(Mailbox(replace(server.account, **{name: value})).open)
            assert "wrong" not in str(refused.value)
        one = reader(post, replace(server.account, password="wrong"))
        for _ in range(3):
            await one.run(post.job)
        assert one._failures == 1, "the account would be locked"
        assert (await post.ok("ada", "GET", "/me/mails"))["stopped"] is None
        one.account = server.account
        monkeypatch.setattr(bounces, "PAUSES", (0.0,))
        one._paused_until = 0.0
        await one.run(post.job)
        assert (one._failures, one._failing_since) == (0, None)
        assert (await post.ok("ada", "GET", "/me/mails"))["stopped"] == "bounced"
        account = server.account
    await one.run(post.job)  # nobody is there any more
    assert account == one.account
    assert one._failures == 1
