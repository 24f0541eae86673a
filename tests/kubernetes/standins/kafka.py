#!/usr/bin/python3
"""Stands in for the image apache/kafka: KAFKA_* become settings as there, the folder is formatted, then Kafka runs."""

import os
import subprocess
from pathlib import Path

NOT_SETTINGS = ("KAFKA_HEAP_OPTS", "KAFKA_OPTS", "KAFKA_JVM_PERFORMANCE_OPTS", "KAFKA_LOG4J_OPTS", "KAFKA_VERSION")
JAVA = ("/opt/java/bin/java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Djava.awt.headless=true")
CLASSES = ("-Dlog4j2.configurationFile=/opt/kafka/log4j2.properties", "-cp", "/opt/kafka/libs/*")
SMALL = {
    "offsets.topic.num.partitions": "8",
    "transaction.state.log.num.partitions": "8",
    "log.cleaner.dedupe.buffer.size": "16777216",
    "log.index.size.max.bytes": "1048576",
}


def settings() -> dict[str, str]:
    found = {"log.dirs": "/tmp/kraft-combined-logs", **SMALL}  # noqa: S108 - in a container
    for name, value in os.environ.items():
        if name.startswith("KAFKA_") and name not in NOT_SETTINGS:
            key = name.removeprefix("KAFKA_").lower().replace("_", ".").replace("...", "-").replace("..", "_")
            found[key] = value
    return found


def main() -> None:
    file = Path("/tmp/server.properties")  # noqa: S108
    file.write_text("".join(f"{key}={value}\n" for key, value in settings().items()))
    heap = os.environ.get("KAFKA_HEAP_OPTS", "-Xms512m -Xmx512m").split()
    more = os.environ.get("KAFKA_OPTS", "").split()
    cluster = os.environ.get("CLUSTER_ID", "5L6g3nShT-eMCtK--X86sw")
    tool = [*JAVA, "-Xmx256m", *CLASSES, "kafka.tools.StorageTool", "format", "--ignore-formatted"]
    subprocess.run([*tool, "-t", cluster, "-c", str(file)], check=True)
    os.execv(JAVA[0], [*JAVA, *heap, *more, *CLASSES, "kafka.Kafka", str(file)])  # noqa: S606


main()
