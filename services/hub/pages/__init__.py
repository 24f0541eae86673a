"""The pages, by what people do with them."""

from __future__ import annotations

from services.hub.pages import (
    acts,
    admin,
    audit,
    coming_in,
    dashboard,
    dead_letters,
    deputies,
    editor,
    events,
    expert_acts,
    feed,
    feedback,
    guardrails,
    guidelines,
    history,
    identity,
    importing,
    join,
    leaderboard,
    leaders,
    learning,
    lessons,
    manager,
    newsletters,
    objectives,
    opening,
    pictures,
    points,
    posts,
    privacy,
    program_look,
    referrals,
    review,
    setup,
    share,
    sources,
    surveys,
    team,
    volunteers,
    waves,
)

MODULES = (
    feed, share, posts, points, leaderboard, learning, lessons, join, privacy, editor, sources, dashboard, manager,
    objectives, opening, pictures, program_look, guardrails,
    importing, history, admin, audit, dead_letters, surveys, newsletters, setup, guidelines, identity, feedback,
    team, review, waves, coming_in, volunteers, leaders, deputies, acts, expert_acts, referrals, events,
)  # fmt: skip
ROUTERS = tuple(module.router for module in MODULES)
