"""What can be undone by the message that says it was done: the form that does it, for a message (`toast.<key>`) and the
id of what it is about.

The message stands for `UNDO_SECONDS`; the services set no time. Whatever undoes is an act of its own that the person
may do on a page at any moment (withdraw, unpublish, restore, reactivate, come back, ...), with its own event and its
own line in the audit trail: late, it does what it says, or is refused where the state is another by now. Only a share
is held for a time (`restorable_until`), because nobody is told of its removal before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from services.hub.paths import NoSuchPath, page

UNDO_SECONDS: Final = 10
UNDO: Mapping[str, Callable[[str], str]] = {
    "applied": lambda program_id: page("programs", program_id, "withdraw-application"),
    "approved": lambda person_id: page("manage", "ambassadors", person_id, "withdraw"),
    "archived": lambda program_id: page("manage", "programs", program_id, "restore"),
    "deputy-named": lambda deputy_id: page("lead", "deputies", deputy_id, "end"),
    "declined": lambda program_id: page("programs", program_id, "reconsider"),
    "deactivated": lambda person_id: page("admin", "people", person_id, "reactivate"),
    "event-cancelled": lambda event_id: page("manage", "events", event_id, "restore"),
    "event-planned": lambda event_id: page("manage", "events", event_id, "cancel"),
    "example-offered": lambda example_id: page("learn", "examples", example_id, "withdraw"),
    "example-retired": lambda example_id: page("manage", "examples", example_id, "restore"),
    "example-shown": lambda example_id: page("manage", "examples", example_id, "retire"),
    "expert-act-confirmed": lambda act_id: page("manage", "acts", act_id, "reopen"),
    "expert-act-refused": lambda act_id: page("manage", "acts", act_id, "reopen"),
    "feedback-published": lambda feedback_id: page("manage", "feedback", feedback_id, "private"),
    "feed-pause": lambda feed_id: page("editor", "feeds", feed_id, "resume"),
    "feed-resume": lambda feed_id: page("editor", "feeds", feed_id, "pause"),
    "guardrails-changed": lambda change: page("manage", "guardrails", *change.split(":", 1), "undo"),
    "invited": lambda batch_id: page("manage", "invitations", batch_id, "withdraw"),
    "item-publish": lambda item_id: page("editor", "items", item_id, "unpublish"),
    "item-restore": lambda item_id: page("editor", "items", item_id, "retire"),
    "item-retire": lambda item_id: page("editor", "items", item_id, "restore"),
    "lesson-published": lambda lesson_id: page("manage", "lessons", lesson_id, "retire"),
    "lesson-retired": lambda lesson_id: page("manage", "lessons", lesson_id, "restore"),
    "link-withdrawn": lambda link_id: page("manage", "links", link_id, "reopen"),
    "left": lambda program_id: page("programs", program_id, "return"),
    "objective-withdrawn": lambda objective_id: page("manage", "objectives", objective_id, "reopen"),
    "newsletter-scheduled": lambda newsletter_id: page("manage", "newsletters", newsletter_id, "unschedule"),
    "referral-rewarded": lambda referral_id: page("manage", "referrals", referral_id, "unreward"),
    "tip-off": lambda _: page("me", "tip", "on"),
    "wave-decided": lambda wave_id: page("manage", "waves", wave_id, "reopen"),
    "wave-started": lambda wave_id: page("manage", "waves", wave_id, "withdraw"),
    "survey-opened": lambda survey_id: page("manage", "surveys", survey_id, "withdraw"),
    "task-done": lambda task_id: page("manage", "tasks", task_id, "reopen"),
    "post-removed": lambda post_id: page("posts", post_id, "restore"),
    "prepared": lambda prepared_id: page("deputy", "prepared", prepared_id, "withdraw"),
    "prepared-dismissed": lambda prepared_id: page("lead", "prepared", prepared_id, "keep"),
    "rejected": lambda person_id: page("manage", "ambassadors", person_id, "approve"),
    "program-closed": lambda program_id: page("manage", "programs", program_id, "open"),
    "program-opened": lambda program_id: page("manage", "programs", program_id, "close"),
}


def undo_path(toast: str, id: str) -> str | None:
    """Where the form leads; None where nothing can be undone, or `id` is none."""
    try:
        return UNDO[toast](id) if toast in UNDO else None
    except NoSuchPath:
        return None
