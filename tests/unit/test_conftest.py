"""Unit tests cannot reach a network."""

import asyncio
import socket

import pytest
from pytest_socket import SocketBlockedError


def test_a_socket_is_refused() -> None:
    with pytest.raises(SocketBlockedError):
        socket.create_connection(("127.0.0.1", 9))


async def test_an_event_loop_runs() -> None:
    await asyncio.sleep(0)
    with pytest.raises(SocketBlockedError):
        await asyncio.open_connection("127.0.0.1", 9)
