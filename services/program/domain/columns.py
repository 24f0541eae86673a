"""Recognises which column of a file is which attribute of a person, by its heading."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from chassis.text import match_key
from chassis.web.problems import Invalid, Violation

# English, French, German.
# fmt: off
_HEADINGS: dict[str, tuple[str, ...]] = {
    "email": (
        "email", "e-mail", "mail", "email address", "work email", "business email", "company email", "upn",
        "user principal name",
        "adresse email", "adresse e-mail", "adresse mail", "adresse électronique", "courriel", "mél", "email pro",
        "email professionnel", "e-mail professionnel", "mail professionnel", "adresse email professionnelle",
        "adresse de messagerie",
        "e-mail-adresse", "emailadresse", "mailadresse", "e-mail geschäftlich", "geschäftliche e-mail",
        "dienstliche e-mail",
    ),
    "name": (
        "name", "full name", "display name", "employee name", "employee",
        "nom complet", "nom et prénom", "nom prénom", "prénom nom", "prénom et nom", "nom d'affichage", "salarié",
        "collaborateur",
        "vollständiger name", "anzeigename", "vor- und nachname", "vorname nachname", "mitarbeiter",
        "mitarbeitername",
    ),
    "first_name": ("first name", "firstname", "given name", "forename", "prénom", "prénom usuel", "vorname", "rufname"),
    "last_name": (
        "last name", "lastname", "surname", "family name", "nom de famille", "nom usuel", "nom d'usage", "nachname",
        "familienname", "zuname",
    ),
    "country": (
        "country", "country code", "country/region", "work country", "nation", "pays", "code pays", "pays de travail",
        "land", "ländercode", "länderkürzel", "landeskennzeichen", "staat", "arbeitsland",
    ),
    "team": (
        "team", "department", "dept", "division", "business unit", "unit", "organisation", "organization", "org unit",
        "organisational unit", "équipe", "service", "département", "direction", "pôle", "unité", "entité",
        "abteilung", "bereich", "organisationseinheit", "geschäftsbereich", "gruppe",
    ),
    "role": (
        "role", "job", "job title", "title", "position", "function", "poste", "fonction", "intitulé de poste",
        "intitulé du poste", "emploi", "métier", "titre", "rolle", "stelle", "stellenbezeichnung", "funktion", "beruf",
        "position/funktion", "tätigkeit", "jobtitel",
    ),
    "level": (
        "level", "grade", "job level", "job grade", "seniority", "band", "niveau", "échelon", "classification",
        "stufe", "ebene", "karrierestufe", "entgeltgruppe",
    ),
    "site": (
        "site", "location", "office", "work location", "office location", "city", "lieu", "lieu de travail", "ville",
        "bureau", "établissement", "standort", "arbeitsort", "ort", "stadt", "niederlassung", "büro",
    ),
    "locale": (
        "locale", "language", "preferred language", "langue", "langue préférée", "sprache", "bevorzugte sprache",
        "korrespondenzsprache",
    ),
    "leader": (
        "leader", "is leader", "is manager", "people manager", "dirigeant", "encadrant", "est manager", "leader o/n",
        "führungskraft", "leitungsfunktion",
    ),
    "external_id": (
        "external id", "external_id", "id", "employee id", "employee number", "employee no", "employee code",
        "personnel number", "payroll number", "staff id", "staff number", "worker id", "person id", "matricule",
        "n° matricule", "numéro de matricule", "identifiant", "identifiant externe", "numéro salarié",
        "numéro d'employé", "personalnummer", "personal-nr", "personalnr", "pers-nr", "persnr", "mitarbeiternummer",
        "mitarbeiter-nr", "mitarbeiter-id",
    ),
}
# fmt: on
COLUMNS = tuple(_HEADINGS)
IGNORED = ""
"""Remembered for a heading that is to be ignored."""

Known = Literal["heading", "remembered", "chosen"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file: its heading, its attribute (None: ignored), and how that is known."""

    heading: str
    column: str | None = None
    known: Known | None = None
    examples: tuple[str, ...] = ()


def heading_key(heading: str) -> str:
    """A key that is equal for headings that differ in case, accents, punctuation or spaces only."""
    return " ".join(re.findall(r"[^\W_]+", match_key(heading)))


@lru_cache(maxsize=1)
def _by_key() -> dict[str, str]:
    return {heading_key(heading): column for column, headings in _HEADINGS.items() for heading in headings}


def is_known(heading: str) -> bool:
    """Whether the heading names an attribute."""
    return heading_key(heading) in _by_key() or heading_key(heading) == "nom"


def recognised(headings: Sequence[str], remembered: Mapping[str, str]) -> tuple[Column, ...]:
    """The attribute of each column: as chosen for that heading before, or else by its words. Of two columns with one
    attribute, the first counts."""
    keys = [heading_key(heading) for heading in headings]
    has_first_name = any(_by_key().get(key) == "first_name" for key in keys)
    found: list[Column] = []
    taken: set[str] = {remembered[key] for key in keys if remembered.get(key)}
    first_of: set[str] = set()
    for heading, key in zip(headings, keys, strict=True):
        if key in remembered:
            column, again = remembered[key], key in first_of
            first_of.add(key)
            found.append(Column(heading, None if again else column or None, "remembered"))
            continue
        meant = _by_key().get(key)
        if has_first_name and key in ("nom", "name"):
            meant = "last_name"
        elif key == "nom":
            meant = "name"
        if meant is None or meant in taken:
            found.append(Column(heading))
        else:
            taken.add(meant)
            found.append(Column(heading, meant, "heading"))
    return tuple(found)


def chosen(headings: Sequence[str], columns: Sequence[str | None]) -> tuple[Column, ...]:
    """The columns as somebody chose them. Raises Invalid, naming the field and the rule that it breaks."""
    if len(columns) != len(headings):
        raise Invalid.one(
            "columns",
            "length",
            f"The file has {len(headings)} columns; {len(columns)} are named.",
            columns=len(headings),
        )
    errors = [
        Violation(f"columns.{number}", "duplicate", "Another column of the file is this one already.")
        for number, column in enumerate(columns)
        if column and column in columns[:number]
    ]
    if errors:
        raise Invalid("See `errors` for each field and the rule it breaks.", errors=errors)
    return tuple(Column(heading, column, "chosen") for heading, column in zip(headings, columns, strict=True))


def missing(columns: Iterable[Column]) -> tuple[str, ...]:
    """The required attributes that these columns lack. One of `email` and `external_id` is enough, and a name may be in
    two columns."""
    there = {one.column for one in columns if one.column}
    wanted = [name for name in ("country", "team") if name not in there]
    if not there & {"name", "first_name", "last_name"}:
        wanted.insert(0, "name")
    if not there & {"email", "external_id"}:
        wanted.insert(0, "email")
    return tuple(wanted)
