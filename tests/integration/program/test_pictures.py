"""Pictures of a programme on real servers: sent, shown, and gone with what showed them."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import httpx
import pytest
from PIL import Image

from chassis.web.problems import Conflict
from services.program.commands.pictures import replace_picture
from services.program.context import Context
from services.program.jobs import UNUSED, delete_unused_pictures
from tests.drawings import HIDDEN, drawing
from tests.integration.program.conftest import ProgramHarness


async def send(program: ProgramHarness, of: str, body: bytes, who: str = "max", kind: str = "image/png") -> Any:
    headers = {"Content-Type": kind}
    params = {"program_id": of}
    return await program.call(who, "POST", "/pictures", content=body, params=params, headers=headers)


async def seen(program: ProgramHarness, id: str, who: str = "ada", **params: str) -> httpx.Response:
    return await program.call(who, "GET", f"/pictures/{id}", params=params)


async def test_a_picture_is_sent_and_everybody_of_the_company_sees_it(program: ProgramHarness) -> None:
    of = await program.create_program()
    await program.sign_in("ada")
    sent = await send(program, of, drawing("PNG", size=(1000, 400)))
    assert sent.status_code == 201, sent.text
    said = sent.json()
    assert (said["media_type"], said["width"], said["height"]) == ("image/png", 1000, 400)
    full, preview = await seen(program, said["id"]), await seen(program, said["id"], size="preview")
    assert (full.headers["content-type"], preview.headers["content-type"]) == ("image/png", "image/webp")
    assert len(full.content) == said["size"]
    assert HIDDEN.encode() not in full.content
    assert Image.open(io.BytesIO(preview.content)).size == (480, 192)
    for answer in (full, preview):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert "immutable" in answer.headers["cache-control"]
    [act] = [one for one in await program.acts() if one.act == "add_picture"]
    assert act.object_id == said["id"]


async def test_what_is_no_picture_changes_nothing(program: ProgramHarness) -> None:
    of = await program.create_program()
    before = await program.state()
    for body, kind, rule in (
        (b"<script>alert(1)</script>", "image/png", "not-a-picture"),
        (b"<svg onload='alert(1)'/>", "application/octet-stream", "svg"),
    ):
        answer = await send(program, of, body, kind=kind)
        assert answer.status_code == 422
        assert [one["rule"] for one in answer.json()["errors"]] == [rule]
    assert (await send(program, of, drawing(), kind="image/svg+xml")).status_code == 415
    assert (await send(program, of, bytes(10 * 1024 * 1024 + 1))).status_code == 413
    assert await program.state() == before
    await program.sign_in("eve")
    assert (await send(program, of, drawing(), "eve")).status_code == 403
    assert (await send(program, "none", drawing())).status_code == 404
    await program.ok("max", "POST", f"/programs/{of}/archive")
    assert (await send(program, of, drawing())).json()["type"] == "program-archived"


async def test_a_picture_goes_with_what_showed_it(program: ProgramHarness) -> None:
    of = await program.create_program()
    one, two, unused = [(await send(program, of, drawing())).json()["id"] for _ in range(3)]
    context: Context = program.service.context
    transact = context.mongo.transact
    await transact(lambda tx: replace_picture(context, tx, of, None, one, "first"))
    with pytest.raises(Conflict) as raised:
        await transact(lambda tx: replace_picture(context, tx, of, None, one, "second"))
    assert raised.value.type == "picture-in-use"
    await transact(lambda tx: replace_picture(context, tx, of, one, two, "first"))
    assert (await seen(program, one, "max")).status_code == 404
    assert await context.pictures.unused(context.clock.now(), 10) == [unused]
    assert await context.pictures.unused(context.clock.now() - UNUSED, 10) == []
    await transact(lambda tx: context.pictures.delete_unused(two, tx))
    await transact(lambda tx: context.pictures.delete_unused(unused, tx))
    assert (await seen(program, two, "max")).status_code == 200
    assert (await seen(program, unused, "max")).status_code == 404


async def test_what_nothing_shows_is_deleted_after_a_day(program: ProgramHarness, monkeypatch: Any) -> None:
    of = await program.create_program()
    id = (await send(program, of, drawing())).json()["id"]
    context: Context = program.service.context
    [job] = [one for one in program.service.jobs if one.name == "pictures"]
    assert job.every <= timedelta(hours=1)

    class Lease:
        transact = staticmethod(context.mongo.transact)

    class Run:
        lease = Lease()

    await delete_unused_pictures(context, Run())  # type: ignore[arg-type]
    assert (await seen(program, id, "max")).status_code == 200
    monkeypatch.setattr("services.program.jobs.UNUSED", timedelta(0))
    await delete_unused_pictures(context, Run())  # type: ignore[arg-type]
    assert (await seen(program, id, "max")).status_code == 404
