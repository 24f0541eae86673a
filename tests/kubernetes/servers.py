"""What a company brings, as a trial of it: Kafka, MongoDB and Valkey on static volumes, and a front with an issuer.

Kafka has two doors: SASL for Herald, with two users, and a plain one for who looks at the topics from outside. MongoDB
asks for passwords. The front is Herald's development gateway.
"""

from __future__ import annotations

import base64
from typing import Any

from tests.kubernetes.cluster import Manifest

USERS = {"herald": "first-of-kafka", "herald-2": "second-of-kafka"}
ROOT, ROOT_PASSWORD = "root", "root-of-mongo"
VALKEY_PASSWORD = "of-valkey"
JAAS = "org.apache.kafka.common.security.plain.PlainLoginModule required"
KEYFILE = base64.b64encode(b"only to members of the replica set" * 4).decode()
STORAGE_CLASS = "herald-static"


def service(name: str, ports: dict[str, int]) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {
            "selector": {"app": name},
            "ports": [{"name": key, "port": port} for key, port in ports.items()],
        },
    }


def server(
    name: str,
    image: str,
    *,
    env: dict[str, str] | None = None,
    args: list[str] | None = None,
    data: str = "",
    ready: dict[str, Any],
    storage_class: str,
    **pod: Any,
) -> Manifest:
    """A StatefulSet of one, with a volume where `data` is."""
    mounts = [{"name": "data", "mountPath": data}] if data else []
    container: Manifest = {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "env": [{"name": key, "value": value} for key, value in (env or {}).items()],
        **({"args": args} if args else {}),
        "readinessProbe": {"periodSeconds": 3, "timeoutSeconds": 10, **ready},
        "resources": {"requests": {"cpu": "100m"}},
        "volumeMounts": [*mounts, *pod.pop("mounts", [])],
    }
    claim: Manifest = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": storage_class,
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name},
        "spec": {
            "serviceName": name,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"enableServiceLinks": False, "containers": [container], **pod},
            },
            **({"volumeClaimTemplates": [claim]} if data else {}),
        },
    }


def kafka(image: str, address: str, storage_class: str) -> Manifest:
    users = " ".join(f'user_{name}="{password}"' for name, password in USERS.items())
    env = {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,SASL_PLAINTEXT://:9094,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{address}:9092,SASL_PLAINTEXT://{address}:9094",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "PLAINTEXT",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": (
            "PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT"
        ),
        "KAFKA_SASL_ENABLED_MECHANISMS": "PLAIN",
        "KAFKA_LISTENER_NAME_SASL__PLAINTEXT_PLAIN_SASL_JAAS_CONFIG": f"{JAAS} {users};",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_LOG_DIRS": "/var/lib/kafka/data/logs",
    }
    return server(
        "kafka", image, env=env, data="/var/lib/kafka/data", storage_class=storage_class,
        ready={"tcpSocket": {"port": 9092}}, securityContext={"fsGroup": 1000},
        terminationGracePeriodSeconds=30,
    )  # fmt: skip


def mongo(image: str, storage_class: str) -> Manifest:
    args = ["mongod", "--dbpath", "/data/db", "--replSet", "herald", "--bind_ip_all", "--keyFile", "/etc/mongo/keyfile"]
    args += ["--wiredTigerCacheSizeGB", "0.5", "--setParameter", "transactionLifetimeLimitSeconds=20"]
    return server(
        "mongo", image, args=args, data="/data/db", storage_class=storage_class,
        ready={"tcpSocket": {"port": 27017}},
        # The key may be read by its owner alone, and an fsGroup would open it to the group.
        securityContext={"runAsUser": 0},
        mounts=[{"name": "keyfile", "mountPath": "/etc/mongo", "readOnly": True}],
        volumes=[{"name": "keyfile", "secret": {"secretName": "servers", "defaultMode": 0o400}}],
    )  # fmt: skip


def valkey(image: str) -> Manifest:
    args = ["valkey-server", "--requirepass", VALKEY_PASSWORD, "--save", "", "--appendonly", "no"]
    return server("valkey", image, args=args, storage_class="", ready={"tcpSocket": {"port": 6379}})


def front(image: str, url: str, upstreams: dict[str, str], trusted: str) -> Manifest:
    """The one address, with the development issuer behind it."""
    env = {
        "HERALD_CONFIG_DIR": "/etc/herald/variables",
        "HERALD_PUBLIC_URL": url,
        "HERALD_ISSUER": f"{url}/issuer",
        "HERALD_ISSUER_KEY_FILE": "/etc/herald/issuer.pem",
        "HERALD_TRUSTED_PROXIES": trusted,
        **upstreams,
    }
    items = [
        {"key": "issuer.pem", "path": "issuer.pem"},
        {"key": "hub-client-secret", "path": "variables/HERALD_HUB_CLIENT_SECRET"},
    ]
    return server(
        "front", image, env=env, args=["run", "gateway", "api"], storage_class="",
        ready={"httpGet": {"path": "/health/ready", "port": 8080}},
        mounts=[{"name": "herald", "mountPath": "/etc/herald", "readOnly": True}],
        volumes=[{"name": "herald", "secret": {"secretName": "servers", "items": items}}],
    )  # fmt: skip


def volumes(node: str, folder: str, number: int) -> list[Manifest]:
    """So many volumes of one node, in folders that are there."""
    chosen = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"{folder.rpartition('/')[2]}-{one}", "labels": {"for": folder.rpartition("/")[2]}},
            "spec": {
                "capacity": {"storage": "1Gi"},
                "accessModes": ["ReadWriteOnce"],
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": STORAGE_CLASS,
                "local": {"path": f"{folder}/{one}"},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [chosen]}},
            },
        }
        for one in range(number)
    ]


def folders(image: str, folder: str, number: int, *, remove: bool = False) -> Manifest:
    """A pod that makes these folders on its node, or removes them."""
    parent, _, name = folder.rpartition("/")
    code = (
        f"import shutil; shutil.rmtree('/host/{name}')"
        if remove
        else f"import os; [os.makedirs(f'/host/{name}/{{n}}', exist_ok=True) for n in range({number})]"
    )
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "remove-folders" if remove else "make-folders"},
        "spec": {
            "restartPolicy": "Never",
            "securityContext": {"runAsUser": 0},
            "containers": [
                {
                    "name": "folders",
                    "image": image,
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["python", "-c", code],
                    "volumeMounts": [{"name": "host", "mountPath": "/host"}],
                }
            ],
            "volumes": [{"name": "host", "hostPath": {"path": parent, "type": "DirectoryOrCreate"}}],
        },
    }
