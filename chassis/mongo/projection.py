"""Keeping of others' facts only what is newer, in one step that also inserts.

Events come again: a dead letter is replayed after what followed on it. Each field of a projection is therefore set
under a guard, the highest revision that set it, so that the last word is the latest fact and not the latest delivery.
What different events say of one document has guards of its own: a retirement ends an item whatever else it hides.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

REVISION = "revision"


def when_newer(revision: int, state: Mapping[str, Any], *, guard: str = REVISION) -> dict[str, Any]:
    """For `$set` in a pipeline: the fields of `state`, unless a fact of this revision or a later one has set them.

    Rows of before a guard of its own was kept are guarded by their `revision`.
    """
    known = {"$ifNull": [f"${guard}", {"$ifNull": [f"${REVISION}", 0]}]}
    newer = {"$gt": [revision, known]}
    fields: dict[str, Any] = {
        name: {"$cond": [newer, {"$literal": value}, f"${name}"]} for name, value in state.items()
    }
    return {**fields, guard: {"$max": [revision, known]}}


def member_when_newer(field: str, member: str, *, joined: bool, revision: int | None, at: datetime) -> dict[str, Any]:
    """For `$set` in a pipeline: that `member` is or is not in the list `field`, unless a later fact says otherwise.

    The last fact on each member is kept beside it, in `<field>_facts`. Facts are compared by their revision, by their
    time where one of them has none; at the same time, leaving goes before joining.
    """
    facts = {"$ifNull": [f"${field}_facts", []]}
    of_member = {"$eq": ["$$this.member", {"$literal": member}]}
    last = {"$first": {"$filter": {"input": facts, "cond": of_member}}}
    later = {"$gt": [at, "$$last.at"]} if joined else {"$gte": [at, "$$last.at"]}
    by_revision = {"$and": [{"$ne": [revision, None]}, {"$ne": [{"$ifNull": ["$$last.revision", None]}, None]}]}
    newer = {
        "$let": {
            "vars": {"last": last},
            "in": {
                "$or": [
                    {"$eq": [{"$type": "$$last"}, "missing"]},
                    {"$cond": [by_revision, {"$gt": [revision, "$$last.revision"]}, later]},
                ]
            },
        }
    }
    fact = {"member": member, "joined": joined, "revision": revision, "at": at}
    others = {"$filter": {"input": facts, "cond": {"$not": [of_member]}}}
    members, one = {"$ifNull": [f"${field}", []]}, [{"$literal": member}]
    changed = {"$setUnion": [members, one]} if joined else {"$setDifference": [members, one]}
    return {
        field: {"$cond": [newer, changed, members]},
        f"{field}_facts": {"$cond": [newer, {"$concatArrays": [others, [{"$literal": fact}]]}, facts]},
    }
