"""What a mail says as plain text is punctuated as its language is."""

from __future__ import annotations

import pytest

from services.program.domain.newsletters import BlockText
from services.program.mail.layout import Look, Written, lay_out

LINK = "https://x.example/points"


@pytest.mark.parametrize(("language", "colon"), [("en", ":"), ("fr", "\u00a0:")])
def test_a_link_is_followed_by_its_address(language: str, colon: str) -> None:
    written = Written(
        language=language,
        subject="Voices",
        blocks=[BlockText(text="Merci", link=LINK, link_text="Voir {tout}")],
        why="…",
        campaign="c",
        archive="https://x.example/newsletters/1",
    )
    _, text = lay_out(written, Look("Voices", "#4531c4", "#ffffff")).for_reader("https://x.example/mail/t")
    lines = text.splitlines()
    assert f"Voir {{tout}}{colon} {LINK}?utm_source=herald&utm_medium=email&utm_campaign=c" in lines
    assert any(line.endswith(f"{colon} https://x.example/mail/t") for line in lines)
