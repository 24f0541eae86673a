"""The networks one can share to: one module each, behind the interface `Network`.

A share goes through the network's own dialog, which needs no connected account: `dialog_url` opens it with what it
can take, and where it cannot take the caption (`prefills` is False) the person pastes it.
"""

from __future__ import annotations

from typing import Literal, Protocol

from services.sharing.networks import device, email, facebook, linkedin, whatsapp, x

Dialog = Literal["page", "mail", "share_sheet"]


class Network(Protocol):
    """A network: what it takes, how it counts, and the address of its share dialog.

    - ``dialog``: a page of the network, the mail program, or the share sheet of the device (no address).
    - ``max_length``: the longest text, in the unit of ``length``.
    """

    @property
    def id(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def dialog(self) -> Dialog: ...
    @property
    def prefills(self) -> bool: ...
    @property
    def max_length(self) -> int: ...

    def length(self, text: str) -> int:
        """How long the network says the text is."""
        ...

    def dialog_url(self, text: str, link: str, title: str) -> str | None:
        """Where to send the person; `text` is the whole caption with the link in it. None: the share sheet."""
        ...


NETWORKS: dict[str, Network] = {
    network.id: network
    for network in (
        linkedin.LinkedIn(),
        x.X(),
        facebook.Facebook(),
        whatsapp.WhatsApp(),
        email.Email(),
        device.Device(),
    )
}
