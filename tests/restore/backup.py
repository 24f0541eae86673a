"""Backups of a running mongod, and putting them back: `fsyncLock`, a copy of the files, `fsyncUnlock`."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient

from tests.fault.system import System

LEFT_OUT = ("mongod.lock", "diagnostic.data")


async def take_backup(system: System, folder: Path) -> float:
    """Copy the files of the running mongod; returns for how many seconds it took no writes."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(system.mongo_direct)
    try:
        began = time.monotonic()
        await client.admin.command("fsync", lock=True)
        try:
            await asyncio.to_thread(shutil.copytree, _data(system), folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
        finally:
            await client.admin.command("fsyncUnlock")
        return time.monotonic() - began
    finally:
        await client.close()


async def put_back(system: System, folder: Path) -> None:
    """Replace the files of mongod, which is stopped, by those of the backup; the backup stays."""
    await asyncio.to_thread(shutil.rmtree, _data(system))
    await asyncio.to_thread(shutil.copytree, folder, _data(system))


def _data(system: System) -> Path:
    return system.home.data / "mongod"


async def drop(system: System, services: Iterable[str]) -> None:
    """Lose the databases of some services."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(system.mongo_direct)
    try:
        for service in services:
            await client.drop_database(f"herald_{service}")
    finally:
        await client.close()
