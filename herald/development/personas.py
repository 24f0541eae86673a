"""The invented people of a local installation, each with a role.

`herald up` lists them on the development issuer's sign-in page, `herald demo` puts them in its people file and
gives them their roles. Nobody here exists; herald.example is a domain that can never receive mail.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import NAMESPACE_URL, uuid5

Role = Literal["editor", "manager", "admin"]


@dataclass(frozen=True, slots=True)
class Persona:
    """One named person; `key` is what `herald token` is given, `roles` what an administrator grants."""

    key: str
    name: str
    country: str
    team: str
    job: str
    locale: str
    roles: tuple[Role, ...] = ()
    ambassador: bool = False
    leader: bool = False
    level: str = "staff"
    site: str = ""

    @property
    def email(self) -> str:
        return f"{self.key}@herald.example"

    @property
    def subject(self) -> str:
        return subject_of(self.email)


def subject_of(email: str) -> str:
    """The `sub` of an address at the development issuer, always the same."""
    return str(uuid5(NAMESPACE_URL, f"mailto:{email.strip().lower()}"))


PERSONAS: tuple[Persona, ...] = (
    Persona("ines", "Inès Moreau", "FR", "IT", "Platform administrator", "fr", ("admin",), site="Paris"),
    Persona("emma", "Emma Lindqvist", "SE", "Communication", "Editor", "en", ("editor",), site="Malmö"),
    Persona("marc", "Marc Delattre", "FR", "Communication", "Programme manager", "fr", ("manager",), site="Paris"),
    Persona("amina", "Amina Belkacem", "FR", "Engineering", "Engineer", "fr", ambassador=True, site="Lyon"),
    Persona("jonas", "Jonas Weber", "DE", "Sales", "Account executive", "en", ambassador=True, site="Berlin"),
    Persona(
        "lea",
        "Léa Fontaine",
        "FR",
        "Engineering",
        "Vice president engineering",
        "fr",
        ambassador=True,
        leader=True,
        level="executive",
        site="Lyon",
    ),
)


def find_persona(who: str) -> Persona | None:
    """By key or e-mail address, in whatever case."""
    wanted = who.strip().lower()
    return next((one for one in PERSONAS if wanted in (one.key, one.email)), None)
