"""The local mailbox as a mail server."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest

from herald.development import mailbox


async def test_mails_arrive_as_files_and_one_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "MAX_MAIL", 2_000)
    server = await mailbox.listen(mailbox.Mailbox(tmp_path), 0)
    host, port = server.sockets[0].getsockname()
    try:
        client = aiosmtplib.SMTP(hostname=host, port=port, start_tls=False)
        async with client:
            for size in (10, 5_000):
                message = EmailMessage()
                message["From"], message["To"], message["Subject"] = "a@herald.example", "b@company.example", "Hello"
                message.set_content("word\n" * (size // 5))
                if size < 2_000:
                    await client.send_message(message)
                else:
                    with pytest.raises(aiosmtplib.SMTPResponseException, match="size"):
                        await client.send_message(message)
    finally:
        server.close()
    [kept] = tmp_path.iterdir()
    assert b"X-Envelope-To: b@company.example\r\n" in kept.read_bytes()
    assert b"Subject: Hello" in kept.read_bytes()
