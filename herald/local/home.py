"""The folder `.herald/`: data, logs, secrets and what is known of the stack that runs in it."""

import fcntl
import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from herald.local.errors import LocalError

NEEDED = 1_000_000_000  # bytes that must be free on the disk before a start
LOOKERS = 10


def default_folder() -> Path:
    """HERALD_HOME, or `.herald` in the current folder."""
    return Path(os.environ.get("HERALD_HOME") or ".herald").absolute()


@dataclass(frozen=True, slots=True)
class Home:
    """Paths below one folder; `prepare` makes them."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def spans(self) -> Path:
        return self.folder / "spans"

    @property
    def spool(self) -> Path:
        return self.folder / "spool"

    @property
    def mails(self) -> Path:
        """What the mailbox of a local stack kept."""
        return self.folder / "mails"

    @property
    def ports(self) -> Path:
        return self.folder / "ports.json"

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets.json"

    @property
    def issuer_key(self) -> Path:
        return self.folder / "issuer-key.pem"

    @property
    def state(self) -> Path:
        return self.folder / "state.json"

    def prepare(self) -> None:
        """Makes the folders. Raises LocalError when they cannot be written or the disk is nearly full."""
        try:
            for folder in (self.folder, self.data, self.logs, self.spans, self.spool):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if not os.access(folder, os.W_OK | os.X_OK):
                    raise PermissionError(f"no write permission on {folder}")
            probe = self.folder / ".writable"
            probe.write_bytes(b"x")
            probe.unlink()
        except OSError as error:
            raise LocalError(
                f"{self.folder} cannot be written ({error.strerror or error}): "
                "run this in a folder of yours, or name one with HERALD_HOME."
            ) from None
        free = shutil.disk_usage(self.folder).free
        if free < NEEDED:
            raise LocalError(
                f"The disk with {self.folder} has {free // 1_000_000} MB free and Herald needs "
                f"{NEEDED // 1_000_000}: make room, or name a folder elsewhere with HERALD_HOME."
            )

    def lock(self) -> int | None:
        """Locks the folder for this process: a handle to keep open, or None when another process has it. The kernel
        releases it when the process ends, however it ends.
        """
        handle = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        if not _locked(handle):
            os.close(handle)
            return None
        os.truncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
        return handle

    def holder(self) -> int | None:
        """The id of the process that has the folder, if any."""
        try:
            with (self.folder / "lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return None
        except BlockingIOError:
            return int((self.folder / "lock").read_text() or 0) or None
        return None

    def read_state(self) -> dict[str, Any]:
        """The supervisor's last state; empty if there is none."""
        try:
            state: dict[str, Any] = json.loads(self.state.read_text())
        except (OSError, ValueError):
            return {}
        return state

    def write_state(self, state: dict[str, Any]) -> None:
        """Replaces the state atomically."""
        part = self.state.with_suffix(".part")
        part.write_text(json.dumps(state, indent=1) + "\n")
        part.replace(self.state)


def _locked(handle: int) -> bool:
    """Retries while another process may only be checking (`holder`)."""
    for _ in range(LOOKERS):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        else:
            return True
    return False
