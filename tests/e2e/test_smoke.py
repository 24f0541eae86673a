"""`herald smoke` on a running Herald: from the tap to the figure, and back."""

from __future__ import annotations

import asyncio

import pytest
from typer.testing import CliRunner, Result

from herald.cli.app import app
from tests.e2e.stack import Stack

pytestmark = [
    pytest.mark.xdist_group("e2e-doors"),
    pytest.mark.asyncio(loop_scope="session"),
]


async def smoke(stack: Stack, *options: str) -> Result:
    own = ["--url", stack.url, "--issuer", f"{stack.url}/issuer", "--key-file", str(stack.home.issuer_key)]
    return await asyncio.to_thread(CliRunner().invoke, app, ["smoke", *own, *options])


async def test_a_share_is_followed_to_its_figure_and_taken_back(stack: Stack) -> None:
    shares = await stack.shares()
    said = await smoke(stack, "--persona", "jonas")
    assert said.exit_code == 0, said.output
    assert [line.split(" s  ")[1] for line in said.output.splitlines()] == [
        "the feed offers something to share",
        "the own figures are there",
        "it is shared on linkedin",
        "its short link leads on",
        "the click is counted as a robot's",
        "share and click are in the figures",
        "it is withdrawn, and the figures are as before",
    ]
    assert await stack.shares() == shares


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--persona", "ines"], "no   the feed offers something to share"),
        (["--network", "none"], "no   it is shared on none: sharing: POST /api/sharing/v1/posts answers 422"),
        (["--issuer", "http://127.0.0.1:1"], "no   no token: set HERALD_SMOKE_TOKEN"),
    ],
)
async def test_the_step_that_fails_is_named(stack: Stack, options: list[str], sentence: str) -> None:
    said = await smoke(stack, *options)
    assert (said.exit_code, sentence in said.output) == (1, True), said.output
