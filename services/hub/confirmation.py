"""What reaches other people is asked about once: whom it reaches and how many, before it is done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from starlette.responses import Response

from services.hub.view import View

CONFIRMED = "confirmed"
_OURS = frozenset(("csrf", "page", CONFIRMED))


async def is_confirmed(view: View) -> bool:
    """Whether the form comes from the page that asked."""
    return await view.field(CONFIRMED) == "yes"


async def ask(
    view: View,
    act: str,
    *,
    back: str,
    path: str | None = None,
    count: int = 1,
    names: Sequence[str] = (),
    notes: Iterable[str] = (),
    undo: bool | None = False,
    danger: bool = False,
    carry: Mapping[str, str] | None = None,
    **words: Any,
) -> Response:
    """The page that asks whether to do `act` (`ask.<act>`, `ask.<act>.do`).

    Its button sends the form once more, or else the fields `carry`, to `path` or where it was sent; there is none where
    `count`, how many are reached, is 0. `names` are some of those. `undo` says whether it can be undone afterwards,
    None that the notes say what can be done then.
    """
    sent = (await view.form()).multi_items() if carry is None else carry.items()
    carried = [(name, value) for name, value in sent if name not in _OURS and isinstance(value, str)]
    return view.page(
        "confirmation.html",
        act=act,
        path=path or view.here,
        back=back,
        count=count,
        names=names,
        notes=list(notes),
        undo=undo,
        danger=danger,
        carried=carried,
        words=words,
    )
