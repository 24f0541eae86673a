"""Network policies are evaluated as Kubernetes documents them."""

from typing import Any

import pytest

from tests.kubernetes.policies import Place, allowed, selects

WEB = Place("web", "shop", {"app": "web"}, {"name": "shop"}, "10.0.0.1")
STORE = Place("store", "shop", {"app": "store"}, {"name": "shop"}, "10.0.0.2", {"http": 8080})
STRANGER = Place("stranger", "other", {"app": "web"}, {"name": "other"}, "10.0.1.1")
OUTSIDE = Place("outside", address="192.0.2.7")


def policy(selected: dict[str, str], **spec: Any) -> dict[str, Any]:
    selector = {"matchLabels": selected} if selected else {}
    return {"metadata": {"namespace": "shop"}, "spec": {"podSelector": selector, **spec}}


FROM_WEB = {"from": [{"podSelector": {"matchLabels": {"app": "web"}}}], "ports": [{"port": "http"}]}


def test_without_a_policy_everything_is_open() -> None:
    assert allowed([], STRANGER, STORE, 8080)


def test_a_selected_pod_is_closed_but_for_what_a_policy_lets_through() -> None:
    closed = policy({"app": "store"}, policyTypes=["Ingress"], ingress=[FROM_WEB])
    assert allowed([closed], WEB, STORE, 8080)
    assert not allowed([closed], WEB, STORE, 8081)
    assert not allowed([closed], STRANGER, STORE, 8080), "a pod selector alone is of the policy's own namespace"
    assert not allowed([closed], OUTSIDE, STORE, 8080)
    assert allowed([closed], STORE, STRANGER, 80), "nothing is said of what it may reach"


def test_both_ends_decide() -> None:
    ingress = policy({"app": "store"}, policyTypes=["Ingress"], ingress=[{}])
    egress = policy({"app": "web"}, policyTypes=["Egress"])
    assert allowed([ingress], WEB, STORE, 8080)
    assert not allowed([ingress, egress], WEB, STORE, 8080)


def test_policies_add_up() -> None:
    nothing = policy({}, policyTypes=["Ingress", "Egress"])
    some = policy({"app": "store"}, policyTypes=["Ingress"], ingress=[FROM_WEB])
    out = policy({"app": "web"}, policyTypes=["Egress"], egress=[{"ports": [{"port": 8080}]}])
    assert not allowed([nothing], WEB, STORE, 8080)
    assert not allowed([nothing, some], WEB, STORE, 8080)
    assert allowed([nothing, some, out], WEB, STORE, 8080)


@pytest.mark.parametrize(
    ("peer", "through"),
    [
        ({"ipBlock": {"cidr": "192.0.2.0/24"}}, True),
        ({"ipBlock": {"cidr": "0.0.0.0/0", "except": ["192.0.2.0/28"]}}, False),
        ({"namespaceSelector": {}}, False),
    ],
)
def test_addresses_outside(peer: dict[str, Any], through: bool) -> None:
    assert allowed([policy({}, policyTypes=["Ingress"], ingress=[{"from": [peer]}])], OUTSIDE, STORE, 1) is through


def test_a_namespace_selector_with_a_pod_selector_needs_both() -> None:
    peer = {"namespaceSelector": {"matchLabels": {"name": "other"}}, "podSelector": {"matchLabels": {"app": "web"}}}
    closed = policy({"app": "store"}, policyTypes=["Ingress"], ingress=[{"from": [peer]}])
    assert allowed([closed], STRANGER, STORE, 1)
    assert not allowed([closed], WEB, STORE, 1)


def test_selectors() -> None:
    labels = {"app": "web"}
    assert selects({}, labels)
    for operator, values, expected in (("In", ["web"], True), ("NotIn", ["web"], False), ("Exists", [], True)):
        one = {"key": "app", "operator": operator, "values": values}
        assert selects({"matchExpressions": [one]}, labels) is expected
    assert selects({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, labels)
    with pytest.raises(ValueError, match="Near"):
        selects({"matchExpressions": [{"key": "app", "operator": "Near"}]}, labels)


def test_protocols_and_ranges_of_ports() -> None:
    closed = policy({}, policyTypes=["Ingress"], ingress=[{"ports": [{"port": 10, "endPort": 20, "protocol": "UDP"}]}])
    assert allowed([closed], WEB, STORE, 15, "UDP")
    assert not allowed([closed], WEB, STORE, 21, "UDP")
    assert not allowed([closed], WEB, STORE, 15, "TCP")
