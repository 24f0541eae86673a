"""What a container's health check does about a process that is not alive."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from chassis import healthcheck


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    monkeypatch.setattr("os.kill", lambda pid, number: found.append((pid, number)))
    return found


def answers(monkeypatch: pytest.MonkeyPatch, live: int, ready: int) -> None:
    monkeypatch.setattr(healthcheck, "status", lambda url: live if url.endswith("live") else ready)


@pytest.mark.parametrize(("ready", "healthy"), [(200, True), (503, False)])
def test_alive_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, killed: list[tuple[int, int]], tmp_path: Path, ready: int, healthy: bool
) -> None:
    answers(monkeypatch, 200, ready)
    assert healthcheck.check("http://x", tmp_path / "note") is healthy
    assert killed == []


def test_not_alive_is_ended(monkeypatch: pytest.MonkeyPatch, killed: list[tuple[int, int]], tmp_path: Path) -> None:
    answers(monkeypatch, 503, 503)
    assert not healthcheck.check("http://x", tmp_path / "note")
    assert killed == [(1, signal.SIGTERM)]


def test_only_a_long_silence_is_ended(
    monkeypatch: pytest.MonkeyPatch, killed: list[tuple[int, int]], tmp_path: Path
) -> None:
    note = tmp_path / "note"
    for answer in (0, 0, 0, 200, 0, 0, 0):
        answers(monkeypatch, answer, answer)
        healthcheck.check("http://x", note)
    assert killed == []
    answers(monkeypatch, 0, 0)
    healthcheck.check("http://x", note)
    assert killed == [(-1, signal.SIGKILL)]
