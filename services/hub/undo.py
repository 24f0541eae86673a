"""What can be undone by the message that says it was done: the form that does it, for a message (`toast.<key>`) and the
id of what it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from services.hub.paths import NoSuchPath, page

UNDO: Mapping[str, Callable[[str], str]] = {
    "declined": lambda program_id: page("programs", program_id, "reconsider"),
    "deactivated": lambda person_id: page("admin", "people", person_id, "reactivate"),
    "feed-pause": lambda feed_id: page("editor", "feeds", feed_id, "resume"),
    "feed-resume": lambda feed_id: page("editor", "feeds", feed_id, "pause"),
    "invited": lambda batch_id: page("manage", "invitations", batch_id, "withdraw"),
    "item-publish": lambda item_id: page("editor", "items", item_id, "unpublish"),
    "item-retire": lambda item_id: page("editor", "items", item_id, "restore"),
    "left": lambda program_id: page("programs", program_id, "return"),
    "post-removed": lambda post_id: page("posts", post_id, "restore"),
}


def undo_path(toast: str, id: str) -> str | None:
    """Where the form leads; None where nothing can be undone, or `id` is none."""
    try:
        return UNDO[toast](id) if toast in UNDO else None
    except NoSuchPath:
        return None
