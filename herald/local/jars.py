"""Kafka's jars: those of KAFKA_HOME, or those that the committed lock names, fetched once and cached."""

import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from xml.etree import ElementTree as ET

from jgo.env import LockedDependency, LockFile
from jgo.maven import MavenContext

from herald.local.downloads import Progress, cache_folder, failed, no_progress, trusting_certificates
from herald.local.errors import LocalError

LOCK = Path(__file__).with_name("kafka.lock.toml")
LEFTOVER = 3600.0  # seconds
MIRROR = "HERALD_MAVEN_MIRROR (or a mirror of central in ~/.m2/settings.xml)"


def classpath(progress: Progress = no_progress) -> str:
    """The class path of Kafka 4, each jar verified; fetches what is missing or damaged. Raises LocalError."""
    home = os.environ.get("KAFKA_HOME")
    if home:
        libs = Path(home) / "libs"
        if not any(re.fullmatch(r"kafka-clients-[4-9]\..*\.jar", jar.name) for jar in libs.glob("kafka-clients-*.jar")):
            raise LocalError(f"KAFKA_HOME is {home}, which holds no Kafka 4 or later (libs/kafka-clients-4*.jar).")
        return f"{libs}/*"
    lock = LockFile.load(LOCK)
    folder = cache_folder(f"kafka-{kafka_version(lock)}")
    missing = [jar for jar in lock.dependencies if not _intact(folder / _file_name(jar), jar)]
    if missing:
        total = len(lock.dependencies)
        _fetch(missing, folder, lambda left: progress(f"Kafka {kafka_version(lock)}", total - left, total))
    return os.pathsep.join(str(folder / _file_name(jar)) for jar in lock.dependencies)


def kafka_version(lock: LockFile | None = None) -> str:
    """The version of Kafka that the lock names."""
    return next(d.version for d in (lock or LockFile.load(LOCK)).dependencies if d.artifactId == "kafka_2.13")


def _file_name(jar: LockedDependency) -> str:
    return f"{jar.artifactId}-{jar.version}.{jar.packaging}"


def _intact(path: Path, jar: LockedDependency) -> bool:
    return path.is_file() and _sha256(path) == jar.sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as jar:
        return hashlib.file_digest(jar, "sha256").hexdigest()


def _fetch(jars: list[LockedDependency], folder: Path, left: Callable[[int], None]) -> None:
    left(len(jars))
    _remove_leftovers(folder)
    with (
        tempfile.TemporaryDirectory(dir=folder, prefix=".fetching-") as scratch,
        trusting_certificates(),
        ThreadPoolExecutor(4) as pool,
    ):
        context = maven(Path(scratch))
        running = {pool.submit(_fetch_one, context, jar, folder): jar for jar in jars}
        for number, future in enumerate(as_completed(running), start=1):
            try:
                future.result()
            except (OSError, RuntimeError) as error:
                pool.shutdown(cancel_futures=True)
                raise failed(f"Kafka's {_file_name(running[future])}", error, MIRROR) from None
            left(len(jars) - number)


def _remove_leftovers(folder: Path) -> None:
    """Deletes the leftovers of killed downloads, unless they are recent: those may belong to one that still runs."""
    for scratch in folder.glob(".fetching-*"):
        if time.time() - scratch.stat().st_mtime > LEFTOVER:
            shutil.rmtree(scratch, ignore_errors=True)


def _fetch_one(context: MavenContext, jar: LockedDependency, folder: Path) -> None:
    component = context.project(jar.groupId, jar.artifactId).at_version(jar.version)
    found = component.artifact(packaging=jar.packaging).resolve()
    if _sha256(found) != jar.sha256:
        raise RuntimeError("what arrived is not what the lock file names")
    finished = found.with_suffix(".part")
    shutil.copyfile(found, finished)
    finished.replace(folder / _file_name(jar))


def maven(repo_cache: Path) -> MavenContext:
    """Maven's central repository or the mirror that the user set, with `repo_cache` to download to."""
    mirror = os.environ.get("HERALD_MAVEN_MIRROR") or _mirror_in_settings()
    remotes = {"central": mirror.rstrip("/")} if mirror else None
    return MavenContext(repo_cache=repo_cache, remote_repos=remotes, timeout=60)


def _mirror_in_settings() -> str | None:
    try:
        root = ET.parse(Path("~/.m2/settings.xml").expanduser()).getroot()  # noqa: S314 - the user's own file
    except (OSError, RuntimeError, ET.ParseError):
        return None
    for mirror in root.iterfind("{*}mirrors/{*}mirror"):
        of = (mirror.findtext("{*}mirrorOf") or "").split(",")
        if {"*", "central", "external:*"} & {name.strip() for name in of}:
            return (mirror.findtext("{*}url") or "").strip() or None
    return None


def write_lock(version: str) -> None:
    """Resolves Kafka `version` with its dependencies and a log4j binding, and writes the lock file."""
    with tempfile.TemporaryDirectory() as scratch, trusting_certificates():
        context = maven(Path(scratch))
        kafka = context.create_dependency(f"org.apache.kafka:kafka_2.13:{version}")
        inputs, others = context.resolver.resolve([kafka])
        log4j = next(d.version for d in others if d.artifactId == "log4j-core")
        binding = context.create_dependency(f"org.apache.logging.log4j:log4j-slf4j-impl:{log4j}")
        LockFile.from_resolved_dependencies([*inputs, *others, binding]).save(LOCK)
