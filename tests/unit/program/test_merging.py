"""Every field of program that holds the id of a person is named where it says what becomes of it in a merge."""

from __future__ import annotations

import importlib
import pkgutil
import re
from dataclasses import fields, is_dataclass

from services.program import domain
from services.program.store.merging import MOVED, STAYS

PERSON = re.compile(r"(person|owner|leader|deputy|ambassador|author)_id$|_by$|^merged_into$|^same_address_as$")
NO_PERSON = {"used_by": "what shows a picture"}
COLLECTIONS = {
    "Attendance": "attendances", "Code": "people", "Completion": "completions", "Deputy": "deputies",
    "Example": "examples", "ExpertAct": "expert_acts", "Feed": "calendar_feeds", "Feedback": "feedback",
    "FirstPost": "first_posts",
    "Handover": "handovers", "Import": "imports", "InvitationLink": "invitation_links", "Mail": "mails",
    "Member": "cohort_members", "Newsletter": "newsletters", "Objective": "objectives",
    "PastMembership": "past_memberships", "Person": "people", "Prepared": "prepared", "Referral": "referrals",
    "ReferralLink": "referral_links", "Task": "tasks", "Wave": "waves",
}  # fmt: skip
NOT_STORED = {"Entry": "of a calendar, read from tasks", "MembershipRow": "of a file", "Row": "of a file"}


def holders() -> set[str]:
    """`collection.field` of all that the domain stores with the id of a person."""
    found = set()
    for module in pkgutil.walk_packages(domain.__path__, f"{domain.__name__}."):
        for name, one in vars(importlib.import_module(module.name)).items():
            if not is_dataclass(one) or one.__module__ != module.name or name in NOT_STORED:
                continue
            held = [field.name for field in fields(one) if PERSON.search(field.name) and field.name not in NO_PERSON]
            nested = "code." if name == "Code" else ""
            found |= {f"{COLLECTIONS.get(name, name)}.{nested}{field}" for field in held}
    return found


def test_each_place_with_a_person_says_what_becomes_of_it() -> None:
    assert holders() - MOVED.keys() - STAYS.keys() == set()
    assert "tasks.owner_id" in holders()
    assert "people.code.issued_by" in holders()


def test_each_place_has_its_reason() -> None:
    assert all({**MOVED, **STAYS}.values())
