"""The HTTP interface: parse, call, answer."""

from chassis.web.http import Router
from services.content.api import feed, feeds, items
from services.content.feeds.client import MAX_BYTES
from services.content.history import api as history

MAX_BODY = {"/v1/feeds/": MAX_BYTES}
router = Router()
router.join(history.router, items.router, feeds.router, feed.router)
