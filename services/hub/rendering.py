"""What templates render stored values with. None of it raises: what is stored cannot break a page."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from chassis import web_address

log = logging.getLogger(__name__)


@pass_context
def each(context: Context, items: Iterable[Any], tag: str = "li", *, caller: Callable[[Any], str]) -> Markup:
    """`{% call(one) each(items) %}`: each item by itself. One that cannot be shown is said to be so, and logged."""
    return Markup().join(_shown(context, one, tag, caller) for one in items)


def _shown(context: Context, item: Any, tag: str, caller: Callable[[Any], str]) -> Markup:
    try:
        return Markup(caller(item))  # noqa: S704 - a template's output
    except Exception:
        id = item.get("id", "") if isinstance(item, dict) else ""
        log.exception("an item cannot be shown", extra={"item": str(id)[:128], "template": context.name})
        t = context["t"]
        return Markup('<{} class="card soft">{}</{}>').format(Markup(tag), t("item.broken"), Markup(tag))  # noqa: S704


def initial(name: str) -> str:
    """The first letter or digit of a name, for a face; "?" where there is none."""
    return next((sign for sign in name if sign.isalnum()), "?").upper()


def link(address: str | None) -> str:
    """An address that may be followed; "" for what is no web address."""
    found = web_address.find(address)
    return found.href if found else ""
