"""Pictures that forms send to the service that keeps them."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import UploadFile

from services.hub.clients import Json
from services.hub.forms.filling import Place
from services.hub.paths import v1
from services.hub.view import View

ACCEPT: Final = "image/png,image/jpeg,image/webp"
"""What a field for a picture offers; `program` looks at what it is."""


async def sent_picture(view: View, field: str = "picture") -> str | None:
    """The id of the picture that a form sends, kept by `program` for what is to show it; None where none was chosen.

    Raises Refusal, with what is wrong at the field. The body of such a form is limited in `MAX_BODY`.
    """
    file = (await view.form()).get(field)
    if not isinstance(file, UploadFile) or not file.size:
        return None
    view.fields |= {"picture": Place(field)}
    answer = await view.apis.call(
        "program",
        "POST",
        v1("pictures"),
        await file.read(),
        params={"program_id": view.require_program().id},
        media_type="application/octet-stream",
    )
    kept: Json = answer.data
    return str(kept["id"])
