"""Claims of links whose pod was scaled away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import httpx
import pytest

from herald.operations.gone_links import Remove, Start, decide, filled_in, look, state_of
from herald.operations.kubernetes import Cluster, NotInPod, cluster_of_pod

NAME = "herald-sharing-links"
LABELS = {"app.kubernetes.io/component": "sharing-links-drain"}
JOB: dict[str, Any] = {
    "metadata": {"labels": LABELS},
    "spec": {
        "template": {
            "spec": {"volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "spool", "persistentVolumeClaim": {}}]}
        }
    },
}


def claim(ordinal: int) -> str:
    return f"spool-{NAME}-{ordinal}"


def decided(
    claims: Iterable[int], *, pods: Iterable[int] = (0, 1), jobs: dict[str, Any] | None = None, generation: int = 7
) -> list[Start | Remove]:
    return decide(
        NAME,
        "spool",
        replicas=2,
        generation=generation,
        claims=[claim(one) for one in claims],
        pods=[f"{NAME}-{one}" for one in pods],
        jobs=jobs or {},
    )


def test_a_claim_that_no_pod_will_have_again_is_drained() -> None:
    assert decided([0, 1, 2]) == [Start("herald-sharing-links-drain-2-7", claim(2))]


def test_a_claim_that_a_pod_has_or_will_have_is_left_to_it() -> None:
    assert decided([0, 1], pods=[0]) == [], "the pod 1 is on its way"
    assert decided([2], pods=[0, 1, 2]) == [], "the pod 2 still ends"


def test_it_is_drained_once_and_again_after_it_was_in_use_again() -> None:
    done = {"herald-sharing-links-drain-2-7": "done"}
    assert decided([2], jobs=done) == []
    assert decided([2], jobs={"herald-sharing-links-drain-2-7": "running"}) == []
    assert decided([2], jobs=done, generation=9) == [Start("herald-sharing-links-drain-2-9", claim(2))]


def test_a_job_that_failed_makes_room_for_another() -> None:
    failed = {"herald-sharing-links-drain-2-7": "failed"}
    assert decided([2], jobs=failed) == [Remove("herald-sharing-links-drain-2-7")]


def test_claims_of_others_are_none_of_ours() -> None:
    others = [
        "data-kafka-0",
        "spool-herald-sharing-links-x",
        "spool-other-herald-sharing-links-5",
        "cache-" + NAME + "-5",
    ]
    assert decide(NAME, "spool", replicas=0, generation=1, claims=others, pods=(), jobs={}) == []


def test_a_name_is_as_long_as_a_job_may_have() -> None:
    name = "x" * 40 + "-sharing-links"
    (start,) = decide(name, "spool", replicas=0, generation=10**6, claims=[f"spool-{name}-99"], pods=(), jobs={})
    assert isinstance(start, Start)
    assert len(start.job) <= 63


@pytest.mark.parametrize(
    ("conditions", "state"),
    [
        ([], "running"),
        ([{"type": "Complete", "status": "True"}], "done"),
        ([{"type": "Failed", "status": "True"}], "failed"),
        ([{"type": "Failed", "status": "False"}], "running"),
    ],
)
def test_the_state_of_a_job(conditions: list[dict[str, str]], state: str) -> None:
    assert state_of({"status": {"conditions": conditions} if conditions else {}}) == state


def test_name_and_claim_are_filled_in() -> None:
    made = filled_in(JOB, Start("j", "c"))
    assert made["metadata"] == {"labels": LABELS, "name": "j"}
    assert made["spec"]["template"]["spec"]["volumes"][1]["persistentVolumeClaim"] == {"claimName": "c"}
    assert "name" not in JOB["metadata"]


class Api:
    """Kubernetes's answers to what `look` asks."""

    def __init__(self, *, job: str | None) -> None:
        self.job = job
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path, query = request.url.path, dict(request.url.params)
        self.asked.append(f"{request.method} {path}")
        assert request.headers["authorization"] == "Bearer t"
        if path == f"/apis/apps/v1/namespaces/n/statefulsets/{NAME}":
            return httpx.Response(200, json={"metadata": {"generation": 3}, "spec": {"replicas": 1}})
        if request.method != "GET":
            return httpx.Response(201, json={})
        found = {
            "/api/v1/namespaces/n/pods": [f"{NAME}-0"],
            "/api/v1/namespaces/n/persistentvolumeclaims": [claim(0), claim(1)],
            "/apis/batch/v1/namespaces/n/jobs": ["herald-sharing-links-drain-1-3"] if self.job else [],
        }[path]
        assert query["labelSelector"] == (
            "app.kubernetes.io/component=sharing-links-drain" if "jobs" in path else "a=b"
        )
        status = {"conditions": [{"type": self.job, "status": "True"}]}
        return httpx.Response(200, json={"items": [{"metadata": {"name": one}, "status": status} for one in found]})


@pytest.mark.parametrize(
    ("job", "said", "done"),
    [
        (None, "drains the claim spool-herald-sharing-links-1", "POST /apis/batch/v1/namespaces/n/jobs"),
        ("Failed", "failed and is removed", "DELETE /apis/batch/v1/namespaces/n/jobs/herald-sharing-links-drain-1-3"),
        ("Complete", "every claim has a pod, or is drained", "GET /apis/batch/v1/namespaces/n/jobs"),
    ],
)
def test_what_is_found_is_done_and_told(job: str | None, said: str, done: str) -> None:
    api = Api(job=job)
    client = httpx.Client(
        base_url="https://k", transport=httpx.MockTransport(api), headers={"Authorization": "Bearer t"}
    )
    with Cluster(client, "n") as cluster:
        (line,) = look(cluster, NAME, "a=b", "spool", JOB)
    assert said in line
    assert api.asked[-1] == done


def test_outside_of_a_pod_there_is_a_sentence(tmp_path: Any) -> None:
    with pytest.raises(NotInPod, match="runs in a pod only"):
        cluster_of_pod({}, tmp_path)
    with pytest.raises(NotInPod, match="must mount its token"):
        cluster_of_pod({"KUBERNETES_SERVICE_HOST": "10.96.0.1"}, tmp_path)
