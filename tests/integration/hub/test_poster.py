"""A headline that the poster cannot show is refused at its field, with the signs, and nothing of the form is lost."""

from __future__ import annotations

import html

from services.hub.view import mask
from tests.integration.hub.harness import Browser


async def test_a_headline_that_no_poster_shows_is_refused_at_its_field(browser: Browser) -> None:
    session = await browser.sign_in()
    path = "/manage/links/new"
    form = {"csrf": mask(session.csrf), "page": path, "title": "Cantine", "headline_fr": "Venez 日本 🎉"}
    answer = await browser.client.post(path, data={**form, "headline_en": "Расскажите"})
    page = html.unescape(answer.text)
    assert answer.status_code == 422
    assert "L’affiche ne peut pas montrer ces signes\u00a0: 日本🎉" in page
    assert 'value="Venez 日本 🎉"' in page
    assert page.count('aria-invalid="true"') == 1  # Cyrillic is drawn
    sent = [one for one in browser.network.asked if one.method == "POST" and "invitation-links" in one.url.path]
    assert sent == []
