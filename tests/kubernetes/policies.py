"""NetworkPolicies evaluated as Kubernetes defines them, for clusters whose network does not enforce them.

A pod that a policy selects is closed in the policy's directions; what any policy of it lets through is let through. A
connection needs both ends: the source's egress and the destination's ingress.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

Manifest = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """One end of a connection: a pod with its labels and its namespace's, or something outside with an address only."""

    name: str
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    namespace_labels: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    ports: Mapping[str, int] = field(default_factory=dict)

    @property
    def pod(self) -> bool:
        return bool(self.namespace)


def allowed(policies: Sequence[Manifest], source: Place, target: Place, port: int, protocol: str = "TCP") -> bool:
    """Whether a connection may be made."""
    return all(
        _open(policies, direction, one, other, target.ports, port, protocol)
        for direction, one, other in (("Egress", source, target), ("Ingress", target, source))
    )


def _open(
    policies: Iterable[Manifest],
    direction: str,
    pod: Place,
    peer: Place,
    names: Mapping[str, int],
    port: int,
    protocol: str,
) -> bool:
    if not pod.pod:
        return True
    closing = [one for one in policies if _applies(one, direction, pod)]
    side = "to" if direction == "Egress" else "from"
    return not closing or any(
        _ports(rule.get("ports"), names, port, protocol) and _peers(rule.get(side), policy, peer)
        for policy in closing
        for rule in policy["spec"].get(direction.lower()) or ()
    )


def _applies(policy: Manifest, direction: str, pod: Place) -> bool:
    spec = policy["spec"]
    types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if "egress" in spec else [])]
    same = policy["metadata"]["namespace"] == pod.namespace
    return direction in types and same and selects(spec.get("podSelector") or {}, pod.labels)


def _ports(ports: Sequence[Manifest] | None, names: Mapping[str, int], port: int, protocol: str) -> bool:
    if not ports:
        return True
    for one in ports:
        first = one.get("port")
        number = names.get(first) if isinstance(first, str) else first
        if one.get("protocol", "TCP") == protocol and (
            first is None or (number is not None and number <= port <= one.get("endPort", number))
        ):
            return True
    return False


def _peers(peers: Sequence[Manifest] | None, policy: Manifest, peer: Place) -> bool:
    return not peers or any(_peer(one, policy, peer) for one in peers)


def _peer(one: Manifest, policy: Manifest, peer: Place) -> bool:
    if block := one.get("ipBlock"):
        if not peer.address:
            return False
        address = ip_address(peer.address)
        kept_out = any(address in ip_network(part) for part in block.get("except") or ())
        return address in ip_network(block["cidr"]) and not kept_out
    if not peer.pod:
        return False
    if "namespaceSelector" in one:
        near = selects(one["namespaceSelector"] or {}, peer.namespace_labels)
    else:
        near = peer.namespace == policy["metadata"]["namespace"]
    return near and selects(one.get("podSelector") or {}, peer.labels)


def selects(selector: Manifest, labels: Mapping[str, str]) -> bool:
    """Whether a label selector selects what has these labels; an empty one selects everything."""
    wanted: Mapping[str, str] = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _expressed(one, labels) for one in selector.get("matchExpressions") or ()
    )


def _expressed(one: Manifest, labels: Mapping[str, str]) -> bool:
    key, values = one["key"], one.get("values") or ()
    match one["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    raise ValueError(one["operator"])
