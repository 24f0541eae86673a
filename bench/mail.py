"""A newsletter of ten thousand readers to a real SMTP server, against the same mails from a loop that keeps no row.

A round is one newsletter: from the moment that the worker may begin until every mail is over. Then one is sent of which
the worker is killed in the middle: nobody may be left out, and no more may go twice than were under way.
"""

from __future__ import annotations

import asyncio
import os
import queue
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from aiosmtplib import SMTP
from pymongo import MongoClient
from pymongo.database import Database

from bench.frame import Bench, Comparison, Findings, Limit, Round, Size
from bench.harness import Harness, answers, herald, process
from chassis.ids import new_id
from chassis.mongo.rows import document
from herald.operations.topics import apply_topics
from services.program.domain.newsletters import Block, BlockText, Newsletter
from services.program.domain.people import Membership, Person
from services.program.domain.programs import Program
from services.program.mail.message import Envelope
from tests.smtp import SmtpServer

CONNECTIONS: Final = 4
RATE: Final = "100000/second"
SMTP_SECONDS: Final = 5
"""What an attempt may take here: a claim of a killed sender runs out 10 s later."""
PATIENCE: Final = 900.0
PROGRAM: Final = "bench-program"
TEXT: Final = BlockText(
    title="What you brought",
    text="**142** shares, and 3,120 visits: see [the figures](https://herald.example/points).\n\n" + "A word. " * 120,
    link="https://herald.example/points",
    link_text="See the figures",
)
Rows = Database[dict[str, Any]]


class Server:
    """The SMTP server in a thread with a loop of its own; it keeps every mail."""

    def __init__(self) -> None:
        self.smtp = SmtpServer()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> SmtpServer:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.smtp.listen(), self._loop).result(10)
        return self.smtp

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self.smtp.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


@dataclass
class Installation:
    """The worker of program with its database, and the SMTP server that its mails go to."""

    harness: Harness
    namespace: str
    smtp: SmtpServer
    rows: Rows

    @contextmanager
    def worker(self) -> Iterator[int]:
        """Its process, ready; yields its id."""
        port = self.harness.free_port()
        argv, own = herald("program", "worker", port=port)
        env = self.harness.environment(self.namespace) | own
        env |= {
            "HERALD_SMTP_HOST": "127.0.0.1",
            "HERALD_SMTP_PORT": str(self.smtp.port),
            "HERALD_SMTP_SECURITY": "none",
            "HERALD_SMTP_CONNECTIONS": str(CONNECTIONS),
            "HERALD_SMTP_TIMEOUT": str(SMTP_SECONDS),
            "HERALD_MAIL_FROM": "herald@bench.example",
            "HERALD_MAIL_RATE": RATE,
            "HERALD_MAIL_REST": "false",
        }
        with process(argv, env, self.harness.folder / "mail.log") as pid:
            answers(f"http://127.0.0.1:{port}/health/ready")
            yield pid

    def schedule(self) -> str:
        """A newsletter that is due now, to everybody; its id."""
        now = datetime.now(UTC)
        newsletter = Newsletter(
            id=new_id(), program_id=PROGRAM, state="scheduled", subjects={"en": "Voices"},
            blocks=(Block("results", {"en": TEXT}), Block("text", {"en": TEXT})), approved_by="max",
            send_on=now.date(), send_at="00:00", created_at=now, updated_at=now,
        )  # fmt: skip
        self.rows["newsletters"].insert_one(document(newsletter))
        return newsletter.id

    def over(self, newsletter_id: str) -> bool:
        row = self.rows["newsletters"].find_one({"_id": newsletter_id}, {"state": 1})
        return row is not None and row["state"] == "sent"

    def wait(self, newsletter_id: str, sent: int | None = None) -> None:
        """Until it is over, or that many of its mails were taken."""
        until = time.monotonic() + PATIENCE
        while not (self.over(newsletter_id) if sent is None else len(self.smtp.taken) >= sent):
            if time.monotonic() > until:
                raise SystemExit("the newsletter does not come to its end")
            time.sleep(0.02)


@contextmanager
def open_(harness: Harness, size: Size) -> Iterator[Comparison]:
    namespace = harness.namespace()
    asyncio.run(apply_topics(harness.kafka_bootstrap, namespace))
    name = f"{namespace}_herald_program"
    with MongoClient[dict[str, Any]](harness.mongo_url, tz_aware=True) as client, Server() as smtp:
        installation = Installation(harness, namespace, smtp, client[name])
        try:
            people(installation.rows, size.events)
            yield Comparison(
                herald=partial(sent, installation, size.events),
                floor=partial(handed_over, installation, size.events),
                findings=partial(findings, installation, size.events),
            )
        finally:
            client.drop_database(name)


def people(rows: Rows, count: int) -> None:
    """A programme with so many ambassadors, who have addresses and live where it is day already."""
    now = datetime.now(UTC) - timedelta(days=30)
    program = Program(PROGRAM, 1, "Voices", "UTC", ("en",), True, 1, 0, 0, now, now)
    rows["programs"].insert_one(document(program))
    found = [
        Person(
            id=new_id(), name=f"Person {number}", country="", team="IT", locale="en", email=f"p{number}@bench.example",
            accounts=(f"account-{number}",), memberships=(Membership(PROGRAM, "joined", now, consent_version=1),),
            created_at=now, updated_at=now,
        )
        for number in range(count)
    ]  # fmt: skip
    # What nobody has is left out: the unique indexes are sparse.
    rows["people"].insert_many(
        [{name: value for name, value in document(one).items() if value not in (None, [])} for one in found]
    )


def sent(installation: Installation, count: int) -> float:
    """Mails a second, from a worker that is ready to the last mail's row."""
    installation.smtp.taken.clear()
    with installation.worker():
        began = time.monotonic()
        installation.wait(installation.schedule())
        took = time.monotonic() - began
    got = installation.smtp.recipients()
    if (len(got), got.total()) != (count, count):
        raise SystemExit(f"{count} readers, {len(got)} of whom got {got.total()} mails")
    return count / took


def handed_over(installation: Installation, count: int) -> float:
    """Mails a second that as many connections take of mails that are written already."""
    envelopes: queue.SimpleQueue[Envelope] = queue.SimpleQueue()
    content = installation.smtp.taken[0].content if installation.smtp.taken else (b"x" * 74 + b"\r\n") * 280
    for number in range(count):
        envelopes.put(Envelope("bounces@bench.example", f"p{number}@bench.example", content))
    installation.smtp.taken.clear()

    async def connection() -> None:
        client = SMTP(hostname="127.0.0.1", port=installation.smtp.port, start_tls=False, use_tls=False)
        await client.connect()
        with suppress(queue.Empty):
            while True:
                one = envelopes.get_nowait()
                await client.mail(one.sender)
                await client.rcpt(one.recipient)
                await client.data(one.content)
        await client.quit()

    async def all_connections() -> None:
        await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))

    began = time.monotonic()
    asyncio.run(all_connections())
    return count / (time.monotonic() - began)


def findings(installation: Installation, count: int, rounds: Sequence[Round]) -> Findings:
    """One whose worker is killed in the middle."""
    installation.smtp.taken.clear()
    began = time.monotonic()
    with installation.worker() as pid:
        newsletter_id = installation.schedule()
        installation.wait(newsletter_id, sent=count // 2)
        os.kill(pid, signal.SIGKILL)
    with installation.worker():
        installation.wait(newsletter_id)
    took = time.monotonic() - began
    got: Counter[str] = installation.smtp.recipients()
    left_out, twice = count - len(got), got.total() - len(got)
    limits = (
        Limit("left out by a kill", left_out, 1, "readers"),
        Limit("twice by a kill", twice, CONNECTIONS + 1, "mails"),
    )
    seconds = [round(count / one.herald, 1) for one in rounds]
    return Findings(limits, {"readers": count, "seconds": seconds, "seconds_with_a_kill": round(took, 1)})


BENCH = Bench(
    name="mail",
    counted="a newsletter to as many readers: as many mails, written already, over as many connections",
    unit="mails/s",
    aim=None,
    size=Size(rounds=2, events=10_000),
    packages=("aiosmtplib", "aiosmtpd", "pymongo"),
    open=open_,
)
