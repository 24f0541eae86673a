"""Mails that Herald signs hold before a verifier that is not ours, mailauth."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from services.program.domain.mails import new_mail
from services.program.mail.dkim import Signer, load_key, relaxed_body, relaxed_header
from services.program.mail.layout import Layout
from services.program.mail.message import Sending, compose
from services.program.mail.settings import MailSettings
from tests.node import run_script

NOW = datetime(2026, 4, 2, 7, tzinfo=UTC)
KEY = rsa.generate_private_key(65537, 2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
RECORD = "v=DKIM1; k=rsa; p=" + base64.b64encode(
    KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
).decode()  # fmt: skip
GIVEN: dict[str, Any] = {
    "kafka_bootstrap": "k:1",
    "mongo_url": "mongodb://m",
    "redis_url": "redis://r",
    "public_url": "https://h.example",
    "issuer": "https://i.example",
    "mail_from": "voices@news.herald.example",
}


def composed(text: str, subject: str = "Voix d’avril") -> bytes:
    mail = new_mail("newsletter", "p", "n", "ada", token="a" * 26, due_at=NOW, now=NOW)
    signer = Signer("herald.example", "2026", load_key(PEM))
    sending = Sending(
        "voices@news.herald.example", "bounces@herald.example", "team@herald.example", "h.example", signer
    )
    layout = Layout("fr", subject, f"<p>{text}</p>", text)
    to = {"stop": "https://h.example/mail/t/newsletter/p", "archive": "https://h.example/newsletters"}
    return compose(mail, layout, "ada@x.example", sending, name="Voix — les collègues", now=NOW, **to).content


def test_a_verifier_takes_what_was_signed_and_nothing_that_was_changed(tmp_path: Path) -> None:
    whole = composed("Merci à vous :\n.\n\n  142 partages \t\n" + "mot " * 80 + "\n\n\n")
    sound = [whole, composed(""), composed("x", "s" * 150), whole.replace(b"Subject: ", b"SUBJECT:  ")]
    forged = [
        whole.replace(b"142", b"143"),
        whole.replace(b"mail/t/newsletter", b"mail/u/newsletter"),
        whole.replace(b"One-Click", b"Two-Click"),
        b"From: boss@herald.example\r\n" + whole,
        b"List-Unsubscribe: <https://evil.example>\r\n" + whole,
        whole.replace(b"Reply-To: team", b"Reply-To: evil"),
    ]
    assert whole not in forged
    asked = {"key": RECORD, "mails": [base64.b64encode(one).decode() for one in (*sound, *forged)]}
    (tmp_path / "asked.json").write_text(json.dumps(asked))
    found = json.loads(run_script("verify-dkim.mjs", str(tmp_path / "asked.json")))
    passed = [[one["result"] for one in each] == ["pass"] for each in found]
    assert passed == [True] * len(sound) + [False] * len(forged)
    [[said], *_] = found
    assert (said["domain"], said["asked"]) == ("herald.example", ["2026._domainkey.herald.example"])
    names = {one.strip().lower() for one in said["headers"].split(":")}
    assert {"from", "list-unsubscribe", "list-unsubscribe-post"} <= names


def test_the_canonical_form_is_that_of_the_examples_in_rfc_6376() -> None:
    assert [relaxed_header(one) for one in (b"A: X", b"B : Y\t\r\n\tZ  ")] == [b"a:X", b"b:Y Z"]
    assert relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n") == b" C\r\nD E\r\n"
    assert relaxed_body(b"") == b""


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"dkim_selector": "s"}, "go together"),
        ({"dkim_key": PEM}, "go together"),
        ({"dkim_selector": "s", "dkim_key": "secret"}, "no private key"),
        ({"dkim_selector": "s", "dkim_key": ec}, "no RSA key"),
        ({"dkim_selector": "s", "dkim_key": PEM, "dkim_domain": "other.example"}, "DMARC"),
        ({"dkim_selector": "s", "dkim_key": PEM, "dkim_domain": "ews.herald.example"}, "DMARC"),
        ({"imap_host": "mail.example", "imap_username": "bounces"}, "HERALD_IMAP_PASSWORD"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any], why: str) -> None:
    if changes.get("dkim_key") is ec:
        key = ec.generate_private_key(ec.SECP256R1())
        changes = {**changes, "dkim_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()}
    with pytest.raises(ValueError, match=why):
        MailSettings(**{**GIVEN, **changes})


def test_a_key_on_one_line_signs_for_the_domain_of_the_sender() -> None:
    one_line = PEM.replace("\n", "\\n")
    signer = MailSettings(**{**GIVEN, "dkim_selector": "s", "dkim_key": one_line}).signer
    assert signer is not None
    assert (signer.domain, signer.key.key_size) == ("news.herald.example", 2048)
