"""Kafka's jars: verified, mended, and never taken from a repository that gives something else."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from jgo.env import LockFile

from herald.local import jars
from herald.local.errors import LocalError

LOCKED = LockFile.load(jars.LOCK).dependencies


class Mirror:
    """A Maven repository on the loopback interface with the jars of this machine's cache."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[str] = []
        self.tamper = ""
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.rpartition("/")[2]
                mirror.asked.append(name)
                found = folder / name
                self.send_response(200 if found.exists() else 404)
                content = found.read_bytes() if found.exists() else b""
                content += b"!" if name == mirror.tamper else b""
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/maven"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def jars_asked(self) -> list[str]:
        return [name for name in self.asked if name.endswith(".jar")]


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Mirror]:
    jars.classpath()
    mirror = Mirror(Path(jars.classpath().split(":")[0]).parent)
    monkeypatch.setenv("HERALD_MAVEN_MIRROR", mirror.url)
    monkeypatch.setenv("HERALD_CACHE", str(tmp_path))
    yield mirror
    mirror.close()


def test_fetched_once_then_only_what_is_damaged(mirror: Mirror) -> None:
    seen: list[tuple[str, int, int]] = []
    classpath = jars.classpath(lambda *step: seen.append(step)).split(":")
    assert len(classpath) == len(mirror.jars_asked()) == len(LOCKED)
    assert seen == [(f"Kafka {jars.kafka_version()}", done, len(LOCKED)) for done in range(len(LOCKED) + 1)]

    mirror.asked.clear()
    jars.classpath()
    assert mirror.asked == []

    damaged = Path(classpath[7])
    damaged.write_bytes(damaged.read_bytes()[:-1])
    Path(classpath[9]).unlink()
    assert jars.classpath().split(":") == classpath
    assert sorted(mirror.jars_asked()) == sorted([damaged.name, Path(classpath[9]).name])


def test_what_differs_from_the_lock_is_refused(mirror: Mirror, tmp_path: Path) -> None:
    mirror.tamper = f"{LOCKED[-1].artifactId}-{LOCKED[-1].version}.jar"
    with pytest.raises(LocalError, match=f"{mirror.tamper} could not be downloaded .*not what the lock"):
        jars.classpath()
    left = sorted(path.name for path in (tmp_path / f"kafka-{jars.kafka_version()}").iterdir())
    assert mirror.tamper not in left
    assert not [name for name in left if name.startswith(".")]


def test_a_mirror_in_the_settings_of_maven(mirror: Mirror, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HERALD_MAVEN_MIRROR")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".m2").mkdir()
    (tmp_path / ".m2/settings.xml").write_text(
        '<settings xmlns="urn:settings"><mirrors><mirror><id>ours</id>'
        f"<mirrorOf>central</mirrorOf><url>{mirror.url}/</url></mirror></mirrors></settings>"
    )
    assert jars.maven(tmp_path).remote_repos == {"central": mirror.url}
