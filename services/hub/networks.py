"""The networks one can share to, in the order in which they are offered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Network:
    """A network as the hub shows it; what it accepts is sharing's to know.

    `text_is_lost`: its own dialog takes an address only, so the caption is put on the clipboard.
    """

    id: str
    icon: str
    text_is_lost: bool = False


NETWORKS: dict[str, Network] = {
    one.id: one
    for one in (
        Network("linkedin", "linkedin"),
        Network("x", "x"),
        Network("facebook", "facebook", text_is_lost=True),
        Network("whatsapp", "whatsapp"),
        Network("email", "mail"),
        Network("device", "share"),
    )
}
