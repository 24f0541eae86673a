"""Who may reach whom, said once: of the pods of an installation, its servers and its front, and of strangers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.kubernetes.policies import Manifest, Place, allowed

APIS = frozenset(f"{one}-api" for one in ("program", "content", "sharing", "gamification", "metrics"))
WORKERS = frozenset(name.replace("-api", "-worker") for name in APIS)
ROLES = APIS | WORKERS | {"hub-api", "sharing-links"}
FEEDS = ("content-api", "content-worker")
METADATA = Place("the metadata of the node", address="169.254.169.254")
INTERNET = Place("the internet", address="203.0.113.9")


def differences(
    policies: Sequence[Manifest], places: Mapping[str, Place], namespace: str, *, kafka: int, issuer: int
) -> list[str]:
    """Where the policies let through too much or too little. `places` has the roles, `front`, `kafka`, `mongo` and
    `valkey`; `kafka` and `issuer` are ports, and the issuer is behind the front."""
    labels = {"kubernetes.io/metadata.name": namespace}
    strangers = [
        Place("a pod of another namespace", "elsewhere", {}, {"kubernetes.io/metadata.name": "elsewhere"}, "10.1.2.3"),
        Place("another pod here", namespace, {"app": "stranger"}, labels, "10.1.2.4"),
        INTERNET,
    ]
    wrong = []

    def expect(source: Place, target: Place, port: int, *, through: bool) -> None:
        if allowed(policies, source, target, port) is not through:
            wrong.append(f"{source.name} {'does not reach' if through else 'reaches'} {target.name}:{port}")

    for name in sorted(ROLES):
        one = places[name]
        for other in sorted(ROLES - {name}):
            expect(one, places[other], 8080, through=name == "hub-api" and other in APIS)
        expect(places["front"], one, 8080, through=name in APIS | {"hub-api", "sharing-links"})
        expect(one, places["mongo"], 27017, through=True)
        expect(one, places["mongo"], 22, through=False)
        expect(one, places["valkey"], 6379, through=True)
        expect(one, places["kafka"], kafka, through=name != "hub-api")
        expect(one, places["front"], issuer, through=name in APIS | {"hub-api"})
        for stranger in strangers:
            expect(stranger, one, 8080, through=False)
        expect(one, INTERNET, 443, through=name in FEEDS)
        expect(one, INTERNET, 22, through=False)
        expect(one, METADATA, 80, through=False)
    return wrong
