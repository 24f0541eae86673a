"""The interface of every server and process of the local stack."""

from abc import ABC, abstractmethod
from pathlib import Path

from herald.local.child import Child
from herald.local.downloads import Progress, no_progress


class Server(ABC):
    """One child process that is started, awaited and stopped, any number of times.

    `name` names it to people and names its log; `grace` is how many seconds it may take to stop by itself.
    """

    name: str
    grace: float = 15.0
    patience: float = 60.0

    def __init__(self, logs: Path) -> None:
        self.log = logs / f"{self.name}.log"
        self.child: Child | None = None

    @abstractmethod
    def provide(self, progress: Progress = no_progress) -> None:
        """Finds or fetches the program to run; quick after the first time. Raises LocalError."""

    async def start(self) -> None:
        """Starts it, without waiting for it to serve. Raises LocalError."""
        self.provide()
        child = await self.launch()
        await child.start()
        self.child = child

    async def ready(self) -> None:
        """Returns once it serves. Raises LocalError when it ends before, or after `patience` seconds."""
        assert self.child is not None
        await self.child.until(self.probe, self.patience)

    async def stop(self) -> None:
        """Returns once it is gone, gracefully or after `grace` seconds by force."""
        if self.child is not None:
            await self.child.stop(self.grace)

    @property
    @abstractmethod
    def port(self) -> int:
        """Where it listens, on the loopback interface."""

    @abstractmethod
    async def launch(self) -> Child:
        """Prepares its data and returns the child to start."""

    @abstractmethod
    async def probe(self) -> bool:
        """Whether it serves now. Any failure is False, never an error."""

    async def alive(self) -> bool:
        """Whether it need not be replaced; by default a running server is alive."""
        return True
