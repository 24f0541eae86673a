"""Mails on real servers: a newsletter from draft to archive, a misbehaving SMTP server, senders that die, silence."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chassis.clock import FixedClock
from herald_contracts import DigestPrepared
from services.program.app import build
from services.program.domain.mails import RETRIES
from services.program.mail.jobs import mail_sender, remind_of_lessons, remind_of_waves, run_newsletters
from services.program.mail.message import Envelope
from services.program.mail.smtp import Away, Pool, Server
from services.program.queries.places import readers_off
from services.program.settings import ProgramSettings
from tests.integration.harness import Harness
from tests.integration.program.conftest import ProgramHarness
from tests.smtp import Mood, SmtpServer, smtp_server

TEXTS = {
    "fr": {"title": "Merci", "text": "**142** partages, voyez [ici](https://x.example/ici?a=1)."},
    "en": {"title": "Thanks", "text": "**142** shares, see [here](https://x.example/here?a=1)."},
}
READ = {"edition": 1, "language": "en", "answers": []}
SCRIPT = "javascript:alert(1)"
PICTURE = {"picture": "https://x.example/team.jpg", "picture_alt": "The team"}
NEWSLETTER: dict[str, Any] = {
    "subjects": {"fr": "Voices en mars : l’été", "en": "Voices in March"},
    "blocks": [
        {"kind": "text", "texts": TEXTS},
        {"kind": "thanks", "texts": {code: {**text, **PICTURE} for code, text in TEXTS.items()}},
    ],
    "segment": {"everybody": True},
}
SETTINGS = {
    "smtp_security": "none", "mail_from": "voices@herald.test", "mail_bounces": "bounces@herald.test",
    "mail_rate": "1000/second", "smtp_timeout": 1.0, "smtp_connections": 4,
    "mail_rest": False,
}  # fmt: skip


@dataclass
class Post(ProgramHarness):
    """A programme whose mails go to an SMTP server, and a clock that stands."""

    smtp: SmtpServer = field(default_factory=SmtpServer)
    clock: FixedClock = field(default_factory=lambda: FixedClock(datetime.now(UTC)))
    path: str = ""

    async def ambassadors(self, *names: str, **claims: Any) -> None:
        for name in names:
            await self.sign_in(name, locale="en", **claims)
            await self.ok(name, "POST", f"{self.path}/join", {"consent_version": 1})

    async def newsletter(self, **changes: Any) -> str:
        """The path of an approved newsletter."""
        made = await self.call("max", "POST", f"{self.path}/newsletters", {**NEWSLETTER, **changes})
        assert made.status_code == 201, made.text
        one = f"{self.path}/newsletters/{made.json()['id']}"
        await self.ok("max", "POST", f"{one}/approve", headers={"If-Match": made.headers["etag"]})
        return one

    async def scheduled(self, **changes: Any) -> str:
        """The path of one that is due now."""
        one = await self.newsletter(**changes)
        local = self.clock.now().astimezone(ZoneInfo("Europe/Paris"))
        body = {"send_on": local.date().isoformat(), "send_at": f"{local:%H:%M}"}
        await self.ok("max", "POST", f"{one}/schedule", body)
        return one

    @property
    def job(self) -> Any:
        context: Any = self.service.context
        return SimpleNamespace(lease=SimpleNamespace(transact=context.mongo.transact), may_go_on=True)

    async def run(self) -> None:
        """What the clock does, once."""
        await run_newsletters(self.service.context, self.job)
        sender = mail_sender(self.service.context, self.service.runtime.telemetry)
        await sender.run(self.job)
        await sender._pool.close()
        await run_newsletters(self.service.context, self.job)

    async def rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = await self.service.runtime.mongo.db["mails"].find({}).to_list()
        return rows

    async def states(self) -> dict[str, str]:
        """State of the mail of each person, by name."""
        names = {id: name for name, id in self.ids.items()}
        return {names[row["person_id"]]: row["state"] for row in await self.rows()}

    def to(self, name: str) -> list[EmailMessage]:
        return [one.message for one in self.smtp.taken if one.recipient == f"{name}@x.example"]


@pytest_asyncio.fixture
async def post(harness: Harness) -> AsyncIterator[Post]:
    async with smtp_server() as smtp:
        settings = harness.settings(
            ProgramSettings, program_admins="root@x.example", smtp_host="127.0.0.1", smtp_port=smtp.port, **SETTINGS
        )
        clock = FixedClock(datetime.now(UTC))
        service = build(settings, clock=clock)
        async with harness.api(service) as client:
            found = Post(harness, service, client, smtp=smtp, clock=clock)
            await found.sign_in("root")
            await found.sign_in("max", "manager")
            found.path = f"/programs/{await found.create_program(open=True)}"
            await found.forget()
            yield found
        await service.runtime.close()


def stop_path(message: EmailMessage) -> str:
    """The path of the API behind the page that unsubscribes the reader of a mail."""
    address = re.fullmatch(r"<(.+)>", message["List-Unsubscribe"])
    assert address is not None
    return urlsplit(address.group(1)).path


async def test_a_newsletter_from_draft_to_archive(post: Post) -> None:
    await post.ambassadors("ada", "bea")
    await post.ok("bea", "PATCH", "/me", {"locale": "fr"})
    await post.sign_in("eve")
    made = await post.call("max", "POST", f"{post.path}/newsletters", NEWSLETTER)
    one = f"{post.path}/newsletters/{made.json()['id']}"
    day = {"send_on": (post.clock.now() + timedelta(days=9)).date().isoformat(), "send_at": "09:00"}
    assert await post.refused("max", "POST", f"{one}/schedule", day) == (409, "newsletter-not-approved")
    assert await post.refused("max", "POST", f"{one}/approve") == (428, "precondition-required")
    assert await post.refused("ada", "GET", one) == (403, "role-missing")
    await post.ok("max", "POST", f"{one}/approve", headers={"If-Match": '"1"'})
    await post.ok("max", "POST", f"{one}/schedule", day)
    await post.run()
    assert post.smtp.taken == []
    assert await post.refused("max", "PUT", one, NEWSLETTER, headers={"If-Match": "*"}) == (409, "newsletter-scheduled")
    await post.ok("max", "POST", f"{one}/unschedule")
    shorter = {**NEWSLETTER, "blocks": NEWSLETTER["blocks"][:1]}
    changed = await post.ok("max", "PUT", one, shorter, headers={"If-Match": "*"})
    assert (changed["state"], changed["approved_by"]) == ("draft", None)
    assert (await post.call("max", "DELETE", one)).status_code == 204

    sent = await post.scheduled()
    await post.forget()
    await post.run()
    assert post.smtp.recipients() == {"ada@x.example": 1, "bea@x.example": 1}
    [english], [french] = post.to("ada"), post.to("bea")
    assert (english["Subject"], french["Subject"]) == ("Voices in March", "Voices en mars : l’été")
    text, html = english.get_body(("plain",)), english.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "142 shares, see here (https://x.example/here?a=1&utm_source=herald" in text.get_content()
    assert 'alt="The team"' in html.get_content()
    assert "[The team]" in text.get_content()
    images = re.findall(r"<img[^>]+src=\"([^\"]+)", html.get_content())
    assert set(images) == {"https://x.example/team.jpg"}, "a picture that would count who opens it"
    assert english["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert english["List-Unsubscribe"].startswith("<http://herald.test/mail/")
    assert stop_path(english) in text.get_content()
    assert english["List-Id"].startswith("<newsletter.")
    assert english["Message-ID"] != french["Message-ID"]
    senders = {one.sender for one in post.smtp.taken}
    assert all(re.fullmatch(r"bounces\+[a-z2-7]{26}@herald\.test", one) for one in senders)
    assert len(senders) == 2

    found = await post.ok("max", "GET", sent)
    assert (found["state"], found["counts"], found["recipients"]) == ("sent", {"sent": 2}, 2)
    assert await post.emitted_types() == ["NewsletterSent"]
    [told] = await post.emitted()
    assert (told.data.sent, told.data.not_sent) == (2, 0)  # type: ignore[attr-defined]
    assert await post.refused("max", "POST", f"{sent}/unschedule") == (409, "newsletter-sent")
    [issue] = (await post.ok("bea", "GET", f"{post.path}/newsletters/archive", params={"language": "fr"}))["items"]
    assert issue["subject"] == NEWSLETTER["subjects"]["fr"]
    assert await post.refused("eve", "GET", f"{post.path}/newsletters/archive") == (403, "not-a-member")
    looked = await post.ok("max", "GET", f"{sent}/preview", params={"language": "en"})
    assert "prefers-color-scheme: dark" in looked["html"]
    assert "prefers-color-scheme: dark" not in looked["dark"]
    mine = await post.ok("ada", "GET", "/me/mails")
    assert [one["state"] for one in mine["mails"]] == ["sent"]


async def test_who_says_stop_gets_no_more_and_reading_stops_nothing(post: Post) -> None:
    await post.ambassadors("ada", "bea")
    await post.scheduled()
    await post.run()
    [mail] = post.to("ada")
    path = stop_path(mail)
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"):
        await post.client.request(method, f"/v1{path}")
    assert (await post.client.get(f"/v1{path}")).json()["wanted"]
    for _ in range(2):
        stopped = await post.client.post(f"/v1{path}/unsubscribe")
        assert (stopped.status_code, stopped.json()["wanted"]) == (200, False)
        assert "ada" not in stopped.text
    foreign = path.replace(path.split("/")[2], "a" * 26)
    assert (await post.client.post(f"/v1{foreign}/unsubscribe")).status_code == 404
    await post.scheduled()
    await post.run()
    assert (len(post.to("ada")), len(post.to("bea"))) == (1, 2)
    assert [row["reason"] for row in await post.rows() if row["state"] == "skipped"] == ["silenced"]
    wanted = {"kind": "newsletter", "program_id": path.split("/")[4], "wanted": True}
    assert all(one["wanted"] for one in (await post.ok("ada", "PUT", "/me/mails", wanted))["choices"])
    await post.scheduled()
    await post.run()
    assert len(post.to("ada")) == 2


MOODS: dict[str, Mood] = {
    "ann": "takes", "ben": "later", "cat": "unknown", "dan": "refuses", "eva": "half", "fin": "closes", "gus": "silent",
}  # fmt: skip


async def test_what_a_server_answers_decides_what_becomes_of_a_mail(post: Post) -> None:
    await post.ambassadors(*MOODS)
    post.smtp.moods = lambda recipient: MOODS[recipient.partition("@")[0]]
    sent = await post.scheduled()
    await post.run()
    assert await post.states() == {
        "ann": "sent", "ben": "due", "cat": "refused", "dan": "refused", "eva": "due", "fin": "due", "gus": "due",
    }  # fmt: skip
    codes = {row["code"] for row in await post.rows()}
    assert codes == {"250", "451 4.7.1", "550 5.1.1", "554 5.7.1", None}
    assert (await post.ok("max", "GET", sent))["state"] == "sending"
    await post.run()
    assert post.smtp.asked["ben@x.example"] == 1, "tried again before its time"
    post.smtp.moods = lambda _: None
    post.clock.advance(RETRIES[0] + timedelta(seconds=1))
    await post.run()
    assert post.smtp.recipients() == {f"{name}@x.example": 1 for name in MOODS if name not in ("cat", "dan")}
    found = await post.ok("max", "GET", sent)
    assert (found["state"], found["counts"]) == ("sent", {"sent": 5, "refused": 2})
    await post.scheduled()
    await post.run()
    assert post.smtp.asked["cat@x.example"] == 1, "an address that does not exist is asked again"
    assert post.smtp.asked["dan@x.example"] == 2


async def test_a_server_that_is_away_costs_no_mail_its_attempts(post: Post) -> None:
    await post.ambassadors("ada")
    post.smtp.mood = "closing"
    await post.scheduled()
    for _ in range(len(RETRIES) + 3):
        await post.run()
        post.clock.advance(timedelta(seconds=2))
    [row] = await post.rows()
    assert (row["state"], row["attempts"]) == ("due", 0)
    post.smtp.mood = "takes"
    await post.run()
    assert await post.states() == {"ada": "sent"}


async def test_a_sender_that_dies_leaves_nobody_out(post: Post) -> None:
    """Ended at any moment, again and again; whoever comes next goes on once the claims have run out."""
    names = [f"p{number}" for number in range(24)]
    await post.ambassadors(*names)
    await post.scheduled()
    await run_newsletters(post.service.context, post.job)
    post.smtp.delay = 0.02
    deaths = 0
    for number in range(5):
        sender = mail_sender(post.service.context, post.service.runtime.telemetry)
        running = asyncio.ensure_future(sender.run(post.job))
        while len(post.smtp.taken) < 4 * (number + 1) and not running.done():
            await asyncio.sleep(0.002)
        deaths += not running.done()
        running.cancel()
        await asyncio.wait([running])
        post.clock.advance(timedelta(seconds=12))
    post.smtp.delay = 0
    await post.run()
    assert deaths == 5
    assert set(await post.states()) == set(names)
    assert set((await post.states()).values()) == {"sent"}
    twice = post.smtp.recipients().total() - len(names)
    assert set(post.smtp.recipients()) == {f"{name}@x.example" for name in names}
    assert twice <= deaths * 4, "more went twice than was under way"
    again = [mail for name in names for mail in post.to(name)[1:]]
    assert all(mail["Message-ID"] == post.to(str(mail["To"]).partition("@")[0])[0]["Message-ID"] for mail in again)


async def test_what_comes_back_ends_mail_to_that_address(post: Post) -> None:
    await post.ambassadors("ada", "bea", "cem")
    await post.scheduled()
    await post.run()
    senders = {one.recipient.partition("@")[0]: one.sender for one in post.smtp.taken}
    machine = post.harness.issuer.token("mail-gateway", scope="herald:mail:write", client_id="mail-gateway")

    async def report(content: str, **headers: str) -> Any:
        sent = {"Authorization": f"Bearer {machine}", "Content-Type": "message/rfc822", **headers}
        return await post.client.post("/v1/mail/reports", content=content.encode(), headers=sent)

    dsn = Path(__file__).with_name("bounce.eml").read_text()
    for _ in range(2):
        taken = await report(dsn.replace("TO@HERE", senders["ada"]).replace("STATUS", "5.1.1"))
        assert (taken.status_code, taken.json()) == (200, {"known": True}), taken.text
    await report(dsn.replace("TO@HERE", senders["cem"]).replace("STATUS", "4.2.2").replace("failed", "delayed"))
    complaint = Path(__file__).with_name("complaint.eml").read_text()
    assert (await report(complaint.replace("TO@HERE", senders["bea"]))).json() == {"known": True}
    strange = dsn.replace("TO@HERE", f"bounces+{'a' * 26}@herald.test").replace("STATUS", "5.1.1")
    assert (await report(strange)).json() == {"known": False}
    assert (await report("no report at all")).json() == {"known": False}
    assert (await report(dsn, Authorization=post.harness.bearer("max")["Authorization"])).status_code == 403
    await post.scheduled()
    await post.run()
    assert {name: len(post.to(name)) for name in ("ada", "bea", "cem")} == {"ada": 1, "bea": 1, "cem": 2}
    assert (await post.ok("ada", "GET", "/me/mails"))["stopped"] == "bounced"
    assert (await post.ok("bea", "GET", "/me/mails"))["stopped"] == "complained"


async def test_a_draft_from_what_happened_is_announced(post: Post) -> None:
    path = f"{post.path}/newsletters"
    days = {"first": "2026-03-01", "last": "2026-03-28"}
    assert await post.refused("max", "POST", path, {**NEWSLETTER, "prepared": {**days, "last": "2026-02-28"}}) == (
        422,
        "invalid",
    )
    made = await post.ok("max", "POST", path, {**NEWSLETTER, "prepared": days})
    assert (made["period_first"], made["period_last"]) == ("2026-03-01", "2026-03-28")
    changed = await post.ok("max", "PUT", f"{path}/{made['id']}", NEWSLETTER, headers={"If-Match": "*"})
    assert changed["period_last"] == "2026-03-28"
    [told] = [one.data for one in await post.emitted()]
    assert isinstance(told, DigestPrepared)
    assert (told.newsletter_id, told.languages, told.blocks) == (made["id"], ["en", "fr"], ["text", "thanks"])
    assert (str(told.period_first), str(told.period_last)) == ("2026-03-01", "2026-03-28")


async def test_bad_input_sends_nothing(post: Post) -> None:
    await post.ambassadors("ada")
    bad = {"subjects": {"fr": "Bonjour", "en": "Hello\r\nBcc: all@x.example\r\n\r\nx"}}
    await post.scheduled(**bad)
    await post.run()
    [mail] = post.to("ada")
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Hello Bcc: all@x.example x"
    nobody = await post.newsletter(segment={"countries": ["JP"]})
    day = {"send_on": (post.clock.now() + timedelta(days=1)).date().isoformat(), "send_at": "09:00"}
    assert await post.refused("max", "POST", f"{nobody}/schedule", day) == (409, "no-recipients")
    before = await post.state()
    wrong: list[dict[str, Any]] = [
        {"subjects": {"fr": "Bonjour"}},
        {"blocks": []},
        {"segment": {}},
        {"segment": {"countries": []}},
        {"segment": {"everybody": True, "leaders_only": True}},
        {"blocks": [{"kind": "text", "texts": {code: {**text, "link": SCRIPT} for code, text in TEXTS.items()}}]},
    ]
    for change in wrong:
        status, _ = await post.refused("max", "POST", f"{post.path}/newsletters", {**NEWSLETTER, **change})
        assert status == 422, change
    assert await post.state() == before


async def test_an_invitation_goes_by_mail_unless_it_is_taken_back(post: Post) -> None:
    for name in ("ada", "bea", "cem"):
        await post.sign_in(name)
    await post.ok("max", "POST", f"{post.path}/invitations", {"people": [post.ids["ada"], post.ids["bea"]]})
    await post.ok("max", "POST", f"{post.path}/ambassadors/{post.ids['bea']}/withdraw")
    await post.run()
    assert post.smtp.taken == [], "told before it could be taken back"
    post.clock.advance(timedelta(minutes=2))
    await post.run()
    assert post.smtp.recipients() == {"ada@x.example": 1}
    [mail] = post.to("ada")
    assert "Voices" in mail["Subject"]
    text = mail.get_body(("plain",))
    assert text is not None
    assert "http://herald.test/join" in text.get_content()
    assert (await post.client.post(f"/v1{stop_path(mail)}/unsubscribe")).json()["kind"] == "invitation"
    assert {row["reason"] for row in await post.rows()} == {None, "outdated"}


async def test_who_has_not_taken_a_required_lesson_is_reminded_once(post: Post) -> None:
    await post.ambassadors("ada", "bea")
    texts = {code: {"title": "First post", "text": "Two taps."} for code in ("fr", "en")}
    lesson = await post.ok("max", "POST", f"{post.path}/lessons", {"texts": texts, "required_for": ["share"]})
    await post.ok("max", "POST", f"{post.path}/lessons/{lesson['id']}/publish")
    await post.ok("bea", "POST", f"{post.path}/learning/{lesson['id']}/answers", READ)
    for days in (1, 7, 7):
        post.clock.advance(timedelta(days=days))
        await remind_of_lessons(post.service.context, post.job)
        post.clock.advance(timedelta(minutes=2))
        await post.run()
        assert len(post.to("ada")) == (days > 1)
    assert post.smtp.recipients() == {"ada@x.example": 1}
    [mail] = post.to("ada")
    text = mail.get_body(("plain",))
    assert text is not None
    assert "First post" in text.get_content()


async def test_a_cohort_is_reminded_once_that_its_wave_ends(post: Post) -> None:
    await post.ambassadors("ada", "bea", "cem", "dia")
    today = post.clock.now().date()
    names = [post.ids[name] for name in ("ada", "bea", "cem")]
    wave = {
        "name": "Pilot & co",
        "starts_on": today.isoformat(),
        "ends_on": (today + timedelta(days=20)).isoformat(),
        "criteria": {"people": names},
    }
    made = await post.ok("max", "POST", f"{post.path}/waves", wave)
    await post.ok("max", "POST", f"{post.path}/waves/{made['id']}/start")
    await post.ok("bea", "POST", f"{post.path}/pause", {"reason": None})
    stop = {"kind": "wave-reminder", "program_id": post.path.split("/")[2], "wanted": False}
    await post.ok("cem", "PUT", "/me/mails", stop)
    for days in (10, 4, 1):
        post.clock.advance(timedelta(days=days))
        await remind_of_waves(post.service.context, post.job)
        post.clock.advance(timedelta(minutes=2))
        await post.run()
        assert post.smtp.recipients() == ({} if days == 10 else {"ada@x.example": 1})
    [mail] = post.to("ada")
    text = mail.get_body(("plain",))
    assert text is not None
    assert "“Pilot & co” ends on" in text.get_content()
    assert stop_path(mail).startswith("/mail/")
    assert [row["reason"] for row in await post.rows() if row["state"] == "skipped"] == ["silenced"]


async def test_a_test_goes_to_who_asks_and_counts_for_nothing(post: Post) -> None:
    await post.ambassadors("ada")
    made = await post.ok("max", "POST", f"{post.path}/newsletters", NEWSLETTER)
    one = f"{post.path}/newsletters/{made['id']}"
    answer = await post.call("max", "POST", f"{one}/test")
    assert answer.status_code == 204, answer.text
    await post.run()
    assert post.smtp.recipients() == {"max@x.example": 1}
    assert (await post.ok("max", "GET", one))["counts"] == {}


async def test_tls_and_a_sign_in_are_asked_for(tmp_path: Path) -> None:
    certificate, context = self_signed(tmp_path)
    envelope = Envelope("bounces@herald.test", "ada@x.example", b"Subject: x\r\n\r\nx\r\n")

    def server(port: int, **changes: Any) -> Server:
        values: dict[str, Any] = {
            "host": "127.0.0.1", "port": port, "security": "starttls", "username": "herald", "password": "secret",
            "ca_file": certificate, "timeout": 5.0, "connections": 2, "own_name": "herald.test",
        }  # fmt: skip
        return Server(**{**values, **changes})

    async with smtp_server(tls=context, login=("herald", "secret")) as smtp:
        pool = Pool(server(smtp.port))
        assert [await pool.send(envelope) for _ in range(3)] == ["250"] * 3
        assert smtp.connections == 1
        await pool.close()
        for changes in ({"password": "wrong"}, {"ca_file": None}, {"security": "none"}):
            with pytest.raises(Away):
                await Pool(server(smtp.port, **changes)).send(envelope)
        assert len(smtp.taken) == 3
    async with smtp_server() as bare:
        with pytest.raises(Away):  # a server without STARTTLS is sent nothing in the clear
            await Pool(server(bare.port)).send(envelope)
        assert bare.taken == []


def self_signed(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """The certificate of 127.0.0.1, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "smtp.pem", folder / "smtp.key"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context


async def test_a_mail_waits_for_the_morning_and_for_the_end_of_a_holiday_of_its_reader(post: Post) -> None:
    context: Any = post.service.context
    resting = replace(context, settings=context.settings.model_copy(update={"mail_rest": True}))
    year = post.clock.now().year + 1

    async def send_at(moment: str) -> None:
        post.clock.advance(datetime.fromisoformat(f"{year}-{moment}Z") - post.clock.now())
        await run_newsletters(resting, post.job)
        sender = mail_sender(resting, post.service.runtime.telemetry)
        await sender.run(post.job)
        await sender._pool.close()

    await post.ambassadors("ada", country="FR")
    await post.ambassadors("bea", country="US")
    await post.ok("bea", "PATCH", "/me", {"time_zone": "Europe/Paris"})
    await post.ambassadors("cleo", country="FR")
    await post.ok("cleo", "PATCH", "/me", {"holidays": "DE-BY"})
    assert await post.refused("ada", "PATCH", "/me", {"holidays": "FR-XX"}) == (422, "invalid")
    one = await post.newsletter()
    id, day = one.rpartition("/")[2], date(year, 7, 14)
    await post.ok("max", "POST", f"{one}/schedule", {"send_on": day.isoformat(), "send_at": "09:30"})
    off = await readers_off(context, post.path.rpartition("/")[2], id, day, "fr")
    assert [(one.calendar, one.name, one.people) for one in off] == [("FR", "Fête nationale", 1)]
    await send_at("07-14T07:31")  # 9:31 in Paris, on its national holiday
    assert [len(post.to(name)) for name in ("ada", "bea", "cleo")] == [0, 1, 1]
    assert (await post.ok("max", "GET", one))["waiting"] == {"holiday": 1}
    await send_at("07-15T05:59")
    assert post.to("ada") == []
    await send_at("07-15T06:00")
    assert len(post.to("ada")) == 1


async def test_people_see_and_change_their_clock_and_their_holidays(post: Post) -> None:
    await post.ambassadors("ada", country="DE")
    found = await post.ok("ada", "GET", "/me/place", params={"language": "en"})
    assert (found["time_zone"], found["holidays"], found["time_zone_chosen"]) == ("Europe/Berlin", "DE", False)
    assert {"calendar": "DE-BY", "name": "Bayern"} in found["parts"]
    await post.ok("ada", "PATCH", "/me", {"time_zone": "Asia/Tokyo", "holidays": "DE-BY"})
    found = await post.ok("ada", "GET", "/me/place", params={"language": "en"})
    assert (found["time_zone"], found["holidays"], found["holidays_chosen"]) == ("Asia/Tokyo", "DE-BY", True)
    await post.ok("ada", "PATCH", "/me", {"time_zone": "", "holidays": ""})
    found = await post.ok("ada", "GET", "/me/place")
    assert (found["time_zone"], found["holidays"]) == ("Europe/Berlin", "DE")
    assert len(found["next"]) == 6
