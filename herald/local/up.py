"""Builds the stack of `herald up` and runs it, in this process or detached from the terminal."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from herald.local import credentials, plan
from herald.local.downloads import Progress
from herald.local.errors import LocalError
from herald.local.home import Home
from herald.local.mailbox import LocalMailbox
from herald.local.plan import Addresses, ProcessSpec
from herald.local.ports import LOOPBACK, free_ports, require_free
from herald.local.process import HeraldProcess
from herald.local.provider import Provider
from herald.local.supervisor import Say, Stack, Step, Supervisor
from herald.local.testbed import Servers

Plan = Callable[[Home, Addresses, Mapping[str, str], Mapping[str, int], bool], list[ProcessSpec]]
ProgressBars = Callable[[], AbstractContextManager[Progress]]
DETACHED_PATIENCE = 300.0


def public_url(port: int) -> str:
    """The one address: HERALD_PUBLIC_URL, or the loopback interface."""
    return os.environ.get("HERALD_PUBLIC_URL", "").rstrip("/") or f"http://{LOOPBACK}:{port}"


def build(
    home: Home,
    port: int,
    split: bool,
    processes: Plan = plan.processes,
    topics: Step | None = None,
    provider: Provider | None = None,
) -> Stack:
    """The stack, not started. Raises LocalError."""
    servers = Servers(home.folder)
    first, *others = plan.names(split)
    ports = {first: port, **free_ports([*others, LocalMailbox.name], home.ports)}
    url = public_url(port)
    mailbox = LocalMailbox(home.mails, home.logs, ports[LocalMailbox.name]) if keeps_mails(provider) else None
    addresses = Addresses(
        **servers.addresses,
        public_url=url,
        issuer=provider.issuer if provider else "",
        mailbox=mailbox.port if mailbox else None,
    )
    secrets = {**credentials.environment(home), **(provider.environment if provider else {})}
    specs = processes(home, addresses, secrets, ports, split)
    return Stack(
        url=url,
        servers=[*servers.all, mailbox] if mailbox else servers.all,
        processes=[HeraldProcess(spec, home.logs) for spec in specs],
        between=topics or (lambda: apply_topics(addresses.kafka_bootstrap)),
        details={
            "split": split,
            "port": port,
            "issuer": addresses.issuer,
            "mails": str(home.mails) if mailbox else "",
            **servers.addresses,
        },
    )


def keeps_mails(provider: Provider | None) -> bool:
    """Whether mails are kept in a folder: with the invented people of the development issuer, unless there is a mail
    server (HERALD_SMTP_HOST)."""
    return provider is None and not os.environ.get("HERALD_SMTP_HOST")


async def apply_topics(bootstrap: str) -> None:
    """Creates the topics that are missing. Raises LocalError."""
    from aiokafka.errors import KafkaError

    from herald.operations import topics

    try:
        await topics.apply_topics(bootstrap, os.environ.get("HERALD_NAMESPACE", ""))
    except (KafkaError, TimeoutError, ValueError) as error:
        raise LocalError(f"The topics could not be created ({error or type(error).__name__}).") from None


def provide(stack: Stack, bars: ProgressBars) -> None:
    """Downloads what is missing. Raises LocalError."""
    with bars() as progress:
        for server in stack.servers:
            server.provide(progress)


def run(
    home: Home,
    port: int,
    split: bool,
    say: Say,
    bars: ProgressBars,
    processes: Plan = plan.processes,
    topics: Step | None = None,
    provider: Provider | None = None,
) -> None:
    """Runs the stack in this process until a signal. Raises LocalError; nothing is left running then."""
    home.prepare()
    lock = home.lock()
    if lock is None:
        raise already_running(home)
    try:
        home.write_state(
            {"status": "preparing", "pid": os.getpid(), "url": public_url(port), "error": None, "children": {}}
        )
        require_free(port)
        stack = build(home, port, split, processes, topics, provider)
        provide(stack, bars)

        def on_ready(seconds: float) -> None:
            say(f"Herald is ready after {seconds:.1f} s: {stack.url}")
            for line in next_steps(stack.url, provider, home):
                say(line)
            say("Stop it with Ctrl-C or 'herald down'; look at it with 'herald status' and 'herald logs'.")

        asyncio.run(Supervisor(home, stack, say).run(on_ready))
        say(f"Herald has stopped; its data stays in {home.folder}.")
    finally:
        os.close(lock)


def next_steps(url: str, provider: Provider | None, home: Home) -> list[str]:
    """What to try first."""
    if provider is not None:
        return ["Try next:", f"  open {url} and sign in with {provider.issuer}; {provider.admins} administers"]
    mails = [f"Mails are kept in {home.mails} and sent to nobody."] if keeps_mails(provider) else []
    return [
        *mails,
        "Try next:",
        f"  1. open {url} and sign in: ines administers, emma edits, marc manages, amina shares",
        "  2. 'herald demo' in another terminal: a company with twelve weeks behind it, every figure compared",
        f'  3. curl -H "Authorization: Bearer $(herald token emma)" {url}/api/content/v1/items',
    ]


def already_running(home: Home) -> LocalError:
    """The message for a second start in the same folder."""
    url = home.read_state().get("url", "an address it has not written yet")
    return LocalError(f"Herald runs already at {url} (process {home.holder()}): stop it with 'herald down'.")


def run_detached(
    home: Home,
    port: int,
    split: bool,
    say: Say,
    bars: ProgressBars,
    argv: Sequence[str] = (),
    provider: Provider | None = None,
) -> None:
    """Starts a process that does `run` and outlives this one; returns once it is ready. Raises LocalError."""
    home.prepare()
    if home.holder() is not None:
        raise already_running(home)
    require_free(port)
    provide(build(home, port, split, provider=provider), bars)
    with_provider = [f"--issuer={provider.issuer}", f"--admins={provider.admins}"] if provider else []
    with_split = ["--split"] if split else []
    command = list(argv) or [sys.executable, "-m", "herald", "up", f"--port={port}", *with_split, *with_provider]
    log = home.logs / "herald.log"
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**os.environ, "HERALD_HOME": str(home.folder)},
        )
    _await_ready(home, child, log, say, provider)


def _await_ready(home: Home, child: "subprocess.Popen[bytes]", log: Path, say: Say, provider: Provider | None) -> None:
    said: set[str] = set()
    deadline = time.monotonic() + DETACHED_PATIENCE
    while time.monotonic() < deadline:
        ended = child.poll() is not None
        state = home.read_state()
        if state.get("pid") == child.pid:
            ready = {name for name, unit in state["children"].items() if unit["state"] == "ready"}
            for name in sorted(ready - said):
                say(f"{name} is ready")
            said |= ready
            if state["status"] == "ready":
                say(f"Herald is ready after {time.time() - state['since']:.1f} s: {state['url']}")
                for line in next_steps(state["url"], provider, home):
                    say(line)
                say("It runs in the background: 'herald status', 'herald logs -f', 'herald down'.")
                return
            if state["error"]:
                child.wait()
                raise LocalError(state["error"])
        if ended:
            raise LocalError(f"Herald ended while starting; its log is {log}.")
        time.sleep(0.1)
    child.terminate()
    child.wait()
    raise LocalError(f"Herald was not ready within {DETACHED_PATIENCE:.0f} s; its log is {log}.")
