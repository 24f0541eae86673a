"""The rules of mails: who gets one, and what becomes of it whatever happens to its sender."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.program.domain import mails
from services.program.domain.mails import FINAL, KINDS, RETRIES, Mail, Reader

NOW = datetime(2026, 4, 2, 7, 0, tzinfo=UTC)
READER = Reader("p1", "t" * 26)


def mail(**values: object) -> Mail:
    found = mails.new_mail("newsletter", "g1", "n1", "p1", token="a" * 26, due_at=NOW, now=NOW)
    return replace(found, **values)  # type: ignore[arg-type]


class Sending(RuleBasedStateMachine):
    """One mail, senders that take it, die with it or answer for it, and a clock."""

    @initialize()
    def begin(self) -> None:
        self.mail, self.now, self.delivered, self.lost, self.tries = mail(), NOW, 0, 0, 0

    @rule(minutes=st.integers(1, 600))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    def due(self) -> bool:
        return self.mail.state == "due" and self.mail.due_at <= self.now

    @precondition(due)
    @rule()
    def claims(self) -> None:
        before = self.mail
        self.mail = mails.claim(before, "s", self.now, 70)
        assert self.mail.attempts == before.attempts + 1
        assert self.mail.due_at > self.now

    def claimed(self) -> bool:
        return self.mail.claim is not None and self.mail.state == "due"

    @precondition(claimed)
    @rule()
    def hands_over(self) -> None:
        self.delivered += 1
        self.mail = mails.sent(self.mail, self.now, "250")

    @precondition(claimed)
    @rule()
    def dies_after_handing_over(self) -> None:
        self.delivered += 1
        self.lost += 1
        self.now = self.mail.due_at

    @precondition(claimed)
    @rule()
    def is_told_later(self) -> None:
        self.mail = mails.postponed(self.mail, self.now, "451")

    @precondition(claimed)
    @rule()
    def finds_no_server(self) -> None:
        before = self.mail
        self.mail = mails.put_back(before, self.now)
        assert self.mail.attempts == before.attempts - 1

    @invariant()
    def nobody_is_left_out(self) -> None:
        """It is over, or it is due at some time again: no state in between holds it for ever."""
        assert (self.mail.state in FINAL) == (self.mail.over_at is not None)
        assert self.mail.state != "due" or self.mail.due_at <= self.now + RETRIES[-1] + timedelta(seconds=70)

    @invariant()
    def goes_twice_only_where_a_sender_died(self) -> None:
        assert self.delivered <= 1 + self.lost

    @invariant()
    def is_given_up_only_after_every_attempt(self) -> None:
        assert self.mail.state != "given_up" or self.mail.attempts == len(RETRIES) + 1


test_sending = Sending.TestCase


@pytest.mark.parametrize("end", [mails.sent, lambda one, now: mails.refused(one, now, "550"), mails.postponed])
def test_what_is_over_stays_so(end: object) -> None:
    over = mails.skipped(mail(), NOW, "silenced")
    with pytest.raises(ValueError, match="is over"):
        end(over, NOW)  # type: ignore[operator]


def test_what_is_not_due_cannot_be_claimed() -> None:
    with pytest.raises(ValueError, match="not due"):
        mails.claim(mail(due_at=NOW + timedelta(seconds=1)), "s", NOW, 10)


@given(st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.sampled_from(["g1", "g2"]), st.booleans()), max_size=12))
def test_the_last_word_of_a_reader_counts(words: list[tuple[str, str, bool]]) -> None:
    reader, last = READER, {}
    for kind, program, wanted in words:
        reader = (mails.unsilence if wanted else mails.silence)(reader, kind, program)
        last[kind, program] = wanted
    for kind in KINDS:
        for program in ("g1", "g2"):
            why = mails.why_not(mail(kind=kind, program_id=program), reader, "d")
            assert why == (None if last.get((kind, program), True) else "silenced")
    assert len(set(reader.silenced)) == len(reader.silenced)


def test_a_complaint_and_a_dead_address_stop_every_kind() -> None:
    for kind in KINDS:
        one = mail(kind=kind)
        assert mails.why_not(one, replace(READER, complained_at=NOW), "d") == "complained"
        assert mails.why_not(one, replace(READER, bounced="d"), "d") == "bounced"
        assert mails.why_not(one, replace(READER, bounced="of another address"), "d") is None
    again = mails.unsilence(replace(READER, complained_at=NOW, bounced="d"), "newsletter", "g1")
    assert mails.why_not(mail(), again, "d") is None


def test_a_mail_is_of_no_use_for_ever() -> None:
    one = mails.claim(mail(), "s", NOW, 70)
    hours = KINDS["newsletter"].hours
    assert not mails.is_outdated(one, NOW + timedelta(hours=hours))
    assert mails.is_outdated(mails.postponed(one, NOW, None), NOW + timedelta(hours=hours, seconds=1))
