"""The folder of the local mailbox."""

from __future__ import annotations

from pathlib import Path

from herald.development.mailbox import Mailbox


def kept(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def test_a_mail_is_a_private_file_with_its_envelope(tmp_path: Path) -> None:
    folder = tmp_path / "mails"
    path = Mailbox(folder).keep("bounce@herald.example", "ann@company.example", b"Subject: Hello\r\n\r\nHi")
    assert path.name.endswith("-ann@company.example.eml")
    assert folder.stat().st_mode & 0o777 == 0o700
    head = b"X-Envelope-From: bounce@herald.example\r\nX-Envelope-To: ann@company.example\r\n"
    assert kept(folder) == [head + b"Subject: Hello\r\n\r\nHi"]


def test_an_address_is_no_path_and_no_header(tmp_path: Path) -> None:
    folder = tmp_path / "mails"
    path = Mailbox(folder).keep("a@b", '"../../x\r\nBcc: all"@company.example', b"Subject: Hello\r\n\r\n")
    assert path.parent == folder
    assert "/" not in path.name.replace("_", "")
    assert path.read_bytes().split(b"\r\n")[1] == b'X-Envelope-To: "../../x Bcc: all"@company.example'


def test_the_oldest_make_room(tmp_path: Path) -> None:
    folder = tmp_path / "mails"
    box = Mailbox(folder, max_kept=200)
    for number in range(4):
        box.keep("a@b", "c@d", b"%d" % number * 40)
    assert [content[-1:] for content in kept(folder)] == [b"2", b"3"]
    again = Mailbox(folder, max_kept=200)
    again.keep("a@b", "c@d", b"4" * 40)
    assert [content[-1:] for content in kept(folder)] == [b"3", b"4"]


def test_one_mail_is_kept_however_large(tmp_path: Path) -> None:
    folder = tmp_path / "mails"
    Mailbox(folder, max_kept=10).keep("a@b", "c@d", b"0" * 40)
    assert len(kept(folder)) == 1


def test_what_was_half_written_goes(tmp_path: Path) -> None:
    (tmp_path / "x.eml.part").write_bytes(b"half")
    Mailbox(tmp_path)
    assert kept(tmp_path) == []
