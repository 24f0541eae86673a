"""Claims of links whose pod was scaled away, and the jobs that send what is on them.

A claim below the StatefulSet's number of replicas has a pod or will have one, which sends what its predecessor left.
Any other without a pod is drained by a Job. A Job is called after the ordinal and the StatefulSet's generation, which
changes with each scaling: a claim that was in use again since is drained again, and any other only once while its Job
is kept. A Job that failed is removed, so that the next look starts it again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

from herald.operations.kubernetes import Cluster, Manifest

State = Literal["running", "done", "failed"]
NAME = 40
"""How much of the StatefulSet's name a Job has: its own may have 63 letters."""


@dataclass(frozen=True, slots=True)
class Start:
    """A Job to create, for a claim."""

    job: str
    claim: str


@dataclass(frozen=True, slots=True)
class Remove:
    """A Job that failed."""

    job: str


def decide(
    name: str,
    template: str,
    *,
    replicas: int,
    generation: int,
    claims: Collection[str],
    pods: Collection[str],
    jobs: Mapping[str, State],
) -> list[Start | Remove]:
    """What to do about the claims of the StatefulSet `name` by its volumeClaimTemplate `template`."""
    found: list[Start | Remove] = []
    for claim in sorted(claims):
        prefix, _, ordinal = claim.rpartition("-")
        if prefix != f"{template}-{name}" or not ordinal.isdecimal():
            continue
        if int(ordinal) < replicas or f"{name}-{ordinal}" in pods:
            continue
        job = f"{name[:NAME].rstrip('-')}-drain-{ordinal}-{generation}"
        state = jobs.get(job)
        if state is None:
            found.append(Start(job, claim))
        elif state == "failed":
            found.append(Remove(job))
    return found


def state_of(job: Manifest) -> State:
    """Of a Job as Kubernetes has it."""
    conditions = {one["type"] for one in job.get("status", {}).get("conditions", ()) if one["status"] == "True"}
    if "Complete" in conditions:
        return "done"
    return "failed" if "Failed" in conditions else "running"


def filled_in(job: Manifest, start: Start) -> Manifest:
    """The Job of a claim: `job` with its name, and the claim for the volume that has none."""
    made: dict[str, Any] = deepcopy(job)
    made["metadata"]["name"] = start.job
    for volume in made["spec"]["template"]["spec"]["volumes"]:
        if "persistentVolumeClaim" in volume:
            volume["persistentVolumeClaim"]["claimName"] = start.claim
    return made


def look(cluster: Cluster, name: str, selector: str, template: str, job: Manifest) -> Iterator[str]:
    """Do what is to be done, and tell each in a sentence. Raises httpx.HTTPError."""
    stateful_set = cluster.get("apis/apps/v1", "statefulsets", name)
    labels = ",".join(f"{key}={value}" for key, value in sorted(job["metadata"]["labels"].items()))
    to_do = decide(
        name,
        template,
        replicas=stateful_set["spec"]["replicas"],
        generation=stateful_set["metadata"]["generation"],
        claims=_names(cluster.list("api/v1", "persistentvolumeclaims", selector)),
        pods=_names(cluster.list("api/v1", "pods", selector)),
        jobs={one["metadata"]["name"]: state_of(one) for one in cluster.list("apis/batch/v1", "jobs", labels)},
    )
    for one in to_do:
        if isinstance(one, Start):
            cluster.create("apis/batch/v1", "jobs", filled_in(job, one))
            yield f"job {one.job} drains the claim {one.claim}, whose pod is gone"
        else:
            cluster.delete("apis/batch/v1", "jobs", one.job)
            yield f"job {one.job} failed and is removed: the next look starts it again"
    if not to_do:
        yield "every claim has a pod, or is drained"


def _names(found: Collection[Manifest]) -> list[str]:
    return [one["metadata"]["name"] for one in found]
