"""A made-up company: people, countries, teams, generated from a seed. Nobody in it exists."""

from __future__ import annotations

import csv
import io
import random
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
COLUMNS = ("external_id", "email", "name", "country", "team", "role", "level", "site", "locale", "leader")
DOMAIN = "northwind-demo.example"


@dataclass(frozen=True, slots=True)
class Person:
    """One row of the personnel file."""

    external_id: str
    email: str
    name: str
    country: str
    team: str
    role: str
    level: str
    site: str
    locale: str
    leader: bool


@dataclass(frozen=True, slots=True)
class _Land:
    code: str
    weight: int
    locale: str
    sites: tuple[str, ...]
    given: tuple[str, ...]
    family: tuple[str, ...]


_LANDS = (
    _Land(
        "FR", 38, "fr", ("Paris", "Lyon", "Nantes"),
        ("Camille", "Hugo", "Manon", "Théo", "Inès", "Lucas", "Chloé", "Malik", "Élise", "Noé", "Awa", "Bastien",
         "Salomé", "Rémi", "Yasmine", "Gabin", "Louison", "Maxence", "Fatou", "Clément", "Margaux", "Karim", "Solène",
         "Adrien", "Nour", "Baptiste", "Léonie", "Samir"),
        ("Vauclair", "Montbrun", "Lesage", "Ferrand", "Diallo", "Castelnau", "Rivoire", "Benhaddou", "Orsini",
         "Delcourt", "Aubertin", "Saint-Yves", "Kerbrat", "Mercadier", "Traoré", "Villedieu", "Lachaume", "Bonnaffé",
         "Cissokho", "Peyrolle", "Grandval", "Hamelin", "Zerrouki", "Brossard", "Ducasse", "Escoffier", "Thibaudet",
         "Le Goff", "Marchesin", "Roussillon"),
    ),
    _Land(
        "DE", 22, "en", ("Berlin", "Hamburg"),
        ("Lena", "Jonas", "Mia", "Finn", "Hannah", "Emre", "Greta", "Lukas", "Aylin", "Moritz", "Johanna", "Tarek",
         "Frieda", "Ole", "Merle", "Anton", "Leyla", "Henrik", "Klara", "Can", "Svenja", "Jasper", "Nele", "Vincent"),
        ("Brandt", "Lindner", "Vogelsang", "Yıldız", "Reuter", "Sommerfeld", "Achterberg", "Kessel", "Petersen",
         "Demir", "Hollmann", "Wiegand", "Ostrowski", "Falkner", "Rademacher", "Thiele", "Aksoy", "Bremer", "Lorenzen",
         "Steinbach", "Uhlig", "Marquardt"),
    ),
    _Land(
        "GB", 16, "en", ("London", "Leeds"),
        ("Amelia", "Oliver", "Isla", "Idris", "Poppy", "Arjun", "Freya", "Callum", "Zara", "Tobias", "Maeve", "Kwame",
         "Harriet", "Rhys", "Anjali", "Elliot", "Imogen", "Yusuf", "Nia", "Rory", "Beatrix", "Theo"),
        ("Hartley", "Okafor", "Pemberton", "Ashworth", "Rahman", "Whitlock", "Calloway", "Thornbury", "Mensah",
         "Lockwood", "Fairfax", "Patel-Hughes", "Redfern", "Osei", "Kingsley", "Marlowe", "Sutcliffe", "Bhatt",
         "Penrose", "Winslow"),
    ),
    _Land(
        "ES", 13, "en", ("Madrid", "Valencia"),
        ("Lucía", "Mateo", "Sofía", "Iker", "Carmen", "Nadia", "Pablo", "Elena", "Álvaro", "Irene", "Hugo", "Rocío",
         "Bruno", "Aitana", "Youssef", "Marina", "Nicolás", "Vega", "Joan", "Candela"),
        ("Olivares", "Quintana", "Berenguer", "Montoya", "Salcedo", "Ibarra", "Zabaleta", "Ferrer", "Castellanos",
         "Arregui", "Belmonte", "Villanueva", "Cantero", "Roldán", "Esteve", "Aldana", "Miralles", "Peñalver"),
    ),
    _Land(
        "CA", 11, "fr", ("Montréal",),
        ("Maude", "Xavier", "Florence", "Olivier", "Amira", "Félix", "Noémie", "Étienne", "Rosalie", "Jérémie",
         "Aïcha", "Laurence", "Zachary", "Mégane", "Tristan", "Océane", "Rachid", "Justine"),
        ("Tremblay-Roy", "Gagnier", "Bouchard", "Lavergne", "Haddad", "Pelchat", "Desrochers", "Charbonneau",
         "Lafrenière", "Beaudry", "Nguyen-Côté", "Marcotte", "Thériault", "Vaillancourt", "Ouellet", "Sirois",
         "Archambault", "Laflamme"),
    ),
)  # fmt: skip
NAMES_TRIED = 50
"""Avoids equal names as far as the lists allow."""
_TEAMS = (
    ("Engineering", 26), ("Sales", 20), ("Consulting", 18), ("Operations", 14),
    ("Customer Care", 10), ("Marketing", 6), ("People", 4), ("Finance", 2),
)  # fmt: skip
_LEVELS = (("junior", 30), ("experienced", 45), ("senior", 20), ("director", 5))


def make_company(size: int, seed: int) -> list[Person]:
    """`size` people; the same seed makes the same people. One in about forty leads a team."""
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    people = []
    taken: set[str] = set()
    for number in range(1, size + 1):
        land = _drawn(chance, [(land, land.weight) for land in _LANDS])
        name = _name(chance, land, taken)
        level = _drawn(chance, _LEVELS)
        team = _drawn(chance, _TEAMS)
        people.append(
            Person(
                external_id=f"E{number:05}",
                email=f"{_plain(name)}.{number}@{DOMAIN}",
                name=name,
                country=land.code,
                team=team,
                role=f"{level} {team.lower()}",
                level=level,
                site=chance.choice(land.sites),
                locale=land.locale,
                leader=level == "director" and chance.random() < 0.5,
            )
        )
    return people


def _name(chance: random.Random, land: _Land, taken: set[str]) -> str:
    name = ""
    for _ in range(NAMES_TRIED):
        name = f"{chance.choice(land.given)} {chance.choice(land.family)}"
        if name not in taken:
            break
    taken.add(name)
    return name


def _drawn(chance: random.Random, weighted: Sequence[tuple[T, int]]) -> T:
    [found] = chance.choices([value for value, _ in weighted], [weight for _, weight in weighted])
    return found


def to_csv(people: Sequence[Person]) -> bytes:
    """The personnel file as UTF-8 CSV with a header."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for person in people:
        writer.writerow(
            ["true" if value is True else "false" if value is False else value for value in _values(person)]
        )
    return file.getvalue().encode()


def _values(person: Person) -> list[object]:
    return [getattr(person, column) for column in COLUMNS]


def _plain(name: str) -> str:
    ascii_only = unicodedata.normalize("NFKD", name.replace("ı", "i")).encode("ascii", "ignore").decode()
    return ascii_only.lower().replace(" ", ".").replace("'", "")
