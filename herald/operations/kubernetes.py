"""The few requests that Herald makes of Kubernetes's API, from inside a pod, as the pod's service account."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
SECONDS = 10.0
Manifest = dict[str, Any]


class NotInPod(Exception):
    """This is no pod with a token. The text says what is missing."""


class Cluster:
    """Objects of the pod's namespace. Each method raises httpx.HTTPError."""

    def __init__(self, client: httpx.Client, namespace: str) -> None:
        self._client = client
        self.namespace = namespace

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._client.close()

    def get(self, group: str, kind: str, name: str) -> Manifest:
        """`group` such as `api/v1` or `apis/apps/v1`, `kind` in the plural."""
        return self._ask("GET", f"{self._path(group, kind)}/{name}")

    def list(self, group: str, kind: str, selector: str) -> list[Manifest]:
        found: list[Manifest] = self._ask("GET", self._path(group, kind), params={"labelSelector": selector})["items"]
        return found

    def create(self, group: str, kind: str, manifest: Manifest) -> None:
        self._ask("POST", self._path(group, kind), json=manifest)

    def delete(self, group: str, kind: str, name: str) -> None:
        """With what belongs to it."""
        self._ask("DELETE", f"{self._path(group, kind)}/{name}", params={"propagationPolicy": "Background"})

    def _path(self, group: str, kind: str) -> str:
        return f"/{group}/namespaces/{self.namespace}/{kind}"

    def _ask(self, method: str, path: str, **options: Any) -> Manifest:
        answer: Manifest = self._client.request(method, path, **options).raise_for_status().json()
        return answer


def cluster_of_pod(environ: Mapping[str, str] = os.environ, account: Path = ACCOUNT) -> Cluster:
    """Raises NotInPod."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise NotInPod("KUBERNETES_SERVICE_HOST is not set: this runs in a pod only")
    try:
        token = (account / "token").read_text("utf-8").strip()
        namespace = (account / "namespace").read_text("utf-8").strip()
        context = ssl.create_default_context(cafile=account / "ca.crt")
    except OSError as error:
        raise NotInPod(f"{error.filename or account}: {error.strerror}: the pod must mount its token") from None
    client = httpx.Client(
        base_url=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        headers={"Authorization": f"Bearer {token}"},
        verify=context,
        timeout=SECONDS,
        trust_env=False,
    )
    return Cluster(client, namespace)
