"""Every form of every page without a network: it stays with everything that was typed and says so, and is sent once
when it is sent again. The pages are those of the hub alone, before services that are played."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.e2e.alone import Network, page_of
from tests.e2e.people import becomes_true
from tests.fuzz import one_in
from tests.infra import Infra
from tests.integration.hub.forms import TYPED, Found, find_forms, refusing
from tests.integration.hub.harness import URL, open_browser
from tests.integration.hub.harness import Browser as Hub

pytestmark = pytest.mark.xdist_group("e2e")
TEXT = "Noch nicht gesendet, ещё"
FORM = """[...document.forms].find((one) => one.method === "post" && one.getAttribute("action") === {action}
    && {names}.every((name) => one.elements[name]))"""
SAID = "[data-said], .toast:not(:has(form))"
FIELDS = "[...{form}.elements].filter((one) => one.name && {kinds}.includes(one.type))"
FILL = """(() => {{ const form = {form};
    for (const one of {fields}) {{ one.value = {text}; one.dispatchEvent(new Event("input", {{ bubbles: true }})); }}
    form.requestSubmit();
}})()"""


@pytest_asyncio.fixture(loop_scope="session")
async def hub(infra: Infra, namespace: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    async with open_browser(infra, namespace, monkeypatch) as found:
        yield found


async def test_without_a_network_every_form_stays_and_is_sent_once(browser: Browser, hub: Hub) -> None:
    refusing(hub)
    by_page: dict[str, list[Found]] = defaultdict(list)
    for one in await find_forms(hub):
        by_page[one.text].append(one)
    assert len(by_page) > 20
    addresses = {f"/{number}": text for number, text in enumerate(one_in(2, list(by_page), 0))}
    network = Network(hub, addresses, closed=True)
    wrong: list[str] = []
    async with page_of(browser, network) as page:
        for address, text in addresses.items():
            # What htmx sends is replaced by what comes: those last.
            forms = sorted(by_page[text], key=lambda one: "hx-post" in one.form.tag.attributes)
            await page.goto(URL + address)
            unruly = await page.evaluate("[...document.forms].filter((one) => !one.noValidate).length")
            assert unruly == 0, f"{forms[0].page}: a browser says what is wrong, in its own language"
            for found in forms:
                wrong += [f"{found.page}, {found.form.action}: {one}" for one in await tried(page, network, found)]
    assert wrong == []


async def tried(page: Page, network: Network, found: Found) -> list[str]:
    """What is wrong with a form: away, and then sent again."""
    attributes, names = found.form.tag.attributes, sorted(found.form.names)
    form = FORM.format(action=json.dumps(attributes.get("action", "")), names=json.dumps(names))
    fields = FIELDS.format(form=form, kinds=json.dumps(TYPED))
    values = f"{fields}.map((one) => one.value)"
    said = f"document.querySelector({json.dumps(SAID)})"
    await page.evaluate(f"document.querySelectorAll({json.dumps(SAID)}).forEach((one) => one.remove())")
    network.away, network.sent = True, []
    await page.evaluate(FILL.format(form=form, fields=fields, text=json.dumps(TEXT)))
    await becomes_true(page, f"Boolean({said}?.textContent.trim())")
    kept = await page.evaluate(values)
    wrong = [] if network.sent == [] and set(kept) <= {TEXT} else [f"lost {kept}"]
    network.away = False
    await page.evaluate(f"{said}.remove(); {form}.requestSubmit()")
    await becomes_true(page, "document.body.textContent.includes('Refused here.')")
    if len(network.sent) != 1 or network.sent[0].count(TEXT) < len(found.typed):
        wrong.append(f"sent {network.sent}")
    return wrong
