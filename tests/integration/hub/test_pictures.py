"""Pictures of a programme on pages: as they are, kept by the browser, and as files to take."""

from __future__ import annotations

import httpx

from services.hub.pages.pictures import file_name
from tests.integration.hub.harness import Browser

PNG = b"\x89PNG" + bytes(2000)


async def test_a_picture_is_served_as_what_it_is(browser: Browser) -> None:
    await browser.sign_in()
    answer = httpx.Response(200, content=PNG, headers={"content-type": "image/png"})
    browser.network.answers["/v1/pictures/pic-1"] = answer
    shown = await browser.client.get("/pictures/pic-1?size=preview", headers={"accept-encoding": "gzip"})
    assert (shown.status_code, shown.content, shown.headers["content-type"]) == (200, PNG, "image/png")
    assert shown.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "content-disposition" not in shown.headers
    assert "content-encoding" not in shown.headers
    [asked] = [one for one in browser.network.asked if one.url.path == "/v1/pictures/pic-1"]
    assert asked.url.params["size"] == "preview"
    taken = await browser.client.get("/pictures/pic-1?name=Logo%20%C3%A9t%C3%A9%22%0D%0Ax")
    assert taken.headers["content-disposition"] == 'attachment; filename="logo-ete-x.png"'


async def test_a_picture_that_is_gone_is_not_found(browser: Browser) -> None:
    await browser.sign_in()
    browser.network.answers["/v1/pictures/pic-2"] = httpx.Response(404, json={"type": "not-found"})
    assert (await browser.client.get("/pictures/pic-2")).status_code == 404


def test_the_name_of_a_file_suits_every_system() -> None:
    assert file_name("Logo (fond clair)", "image/webp") == "logo-fond-clair.webp"
    assert file_name("…", "image/jpeg") == "picture.jpg"
