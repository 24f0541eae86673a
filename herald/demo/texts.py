"""What the made-up company writes."""

from __future__ import annotations

from typing import Any

CONSENT = {
    "fr": "Je participe de mon plein gré. Je peux faire une pause ou partir à tout moment, sans me justifier.",
    "en": "I take part of my own free will. I may pause or leave at any time, without giving a reason.",
}
GUIDELINES = {
    "fr": "# Nos repères\n\nParlez en votre nom. Dites que vous travaillez ici. Rien de confidentiel. Restez courtois.",
    "en": "# Our guidelines\n\nSpeak for yourself. Say that you work here. Nothing confidential. Stay kind.",
}


def own_item(program_id: str) -> dict[str, Any]:
    """An item that the editor writes herself."""
    return {
        "program_id": program_id,
        "kind": "article",
        "category": "behind_the_scenes",
        "url": "https://www.northwind-demo.example/stories/night-shift",
        "shareable": True,
        "variants": [
            {
                "language": "fr",
                "title": "Une nuit avec l’équipe qui garde le réseau debout",
                "summary": "De 22 h à 6 h, six personnes, trois cafés et une panne qui n’a pas eu lieu.",
            },
            {
                "language": "en",
                "title": "A night with the team that keeps the network up",
                "summary": "From 10 pm to 6 am: six people, three coffees and an outage that did not happen.",
            },
        ],
        "captions": [
            {"language": "fr", "text": "Ceux qu’on ne voit jamais, et sans qui rien ne marche. Bravo à eux."},
            {"language": "en", "text": "The people you never see, and without whom nothing works. Hats off."},
            {"language": "en", "network": "x", "text": "Six people, three coffees, zero outages."},
        ],
        "targeting": {"countries": [], "teams": []},
    }


def job_offer(program_id: str) -> dict[str, Any]:
    """A job that ambassadors refer people to."""
    return {
        "program_id": program_id,
        "kind": "job_offer",
        "category": "jobs",
        "url": "https://www.northwind-demo.example/jobs/reliability-engineer",
        "shareable": True,
        "variants": [
            {"language": "fr", "title": "Ingénieure ou ingénieur fiabilité, Lyon", "summary": "Éoliennes, en équipe."},
            {"language": "en", "title": "Reliability engineer, Lyon", "summary": "Wind turbines, in a team."},
        ],
        "captions": [],
        "targeting": {"countries": [], "teams": []},
    }


SURVEY: dict[str, Any] = {
    "title": "How is it going?",
    "enps": True,
    "questions": [{"fr": "J’ai le temps de partager.", "en": "I have the time to share."}],
    "prompt": {"fr": "Que devrions-nous changer ?", "en": "What should we change?"},
}
