"""CSV to rows and errors, rows to persons: pure functions, so properties say most of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.text import match_key, name, names_something
from chassis.web.problems import Invalid, Refused
from services.program.domain import fields
from services.program.domain.columns import COLUMNS, chosen, heading_key, is_known, missing, recognised
from services.program.domain.imports import Plan, Row, plan, rows, with_examples
from services.program.domain.people import Person, change
from services.program.domain.tables import LineViolation, read_table

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 9, tzinfo=UTC)
HEADER = "email,name,country,team\n"


def rows_of(text: str | bytes) -> list[Row | list[LineViolation]]:
    table = read_table(text.encode() if isinstance(text, str) else text, is_known)
    return list(rows(table, recognised(table.headings, {})))


def errors_of(text: str) -> list[tuple[int, str, str]]:
    found = [one for one in rows_of(text) if isinstance(one, list)]
    return [(error.line, error.field, error.rule) for errors in found for error in errors]


def refused(data: bytes) -> list[tuple[int, str, str]]:
    with pytest.raises(Refused) as raised:
        read_table(data, is_known)
    assert raised.value.type == "csv-unreadable"
    assert all(isinstance(error, LineViolation) for error in raised.value.errors)
    return [(error.line, error.field, error.rule) for error in raised.value.errors if isinstance(error, LineViolation)]


def attempt(data: bytes) -> list[Row | list[LineViolation]] | Refused:
    try:
        return rows_of(data)
    except Refused as refusal:
        return refusal


def ids() -> Iterator[str]:
    return (f"p{number}" for number in count(1))


def planned(rows: list[dict[str, Any]], *known: Person, now: datetime = LATER) -> Plan:
    names = ids()
    lines = [Row(line, values) for line, values in enumerate(rows, 2)]
    return plan(lines, known, now=now, new_id=lambda: f"new-{next(names)}", locale="en")


def person(id: str, **values: Any) -> Person:
    return Person(
        **{
            "id": id,
            "name": "Ada",
            "country": "FR",
            "team": "IT",
            "locale": "fr",
            "created_at": NOW,
            "updated_at": NOW,
            **values,
        }
    )


def test_a_full_row_is_read_with_every_column() -> None:
    [row] = rows_of(
        "email,name,country,team,role,level,site,locale,leader,external_id\n"
        "Ada@X.example, Ada Lövelace ,fr,IT,Engineer,staff,Lyon,fr_ca,oui,E-1\n"
    )
    assert row == Row(
        2,
        {
            "email": "ada@x.example",
            "name": "Ada Lövelace",
            "country": "FR",
            "team": "IT",
            "job": "Engineer",
            "level": "staff",
            "site": "Lyon",
            "locale": "fr-CA",
            "leader": True,
            "external_id": "E-1",
        },
    )


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffemail,name,country,team\na@x.example,Ada,FR,IT\n",
        "email;name;country;team\r\na@x.example;Ada;FR;IT\r\n",
        "email\tname\tcountry\tteam\ra@x.example\tAda\tFR\tIT",
        '"email";"Name";"COUNTRY";team\n\n"a@x.example";"Ada";"FR";"IT"\n;;;\n',
    ],
)
def test_what_spreadsheets_write_is_understood(text: str) -> None:
    [row] = rows_of(text)
    assert isinstance(row, Row)
    assert row.values == {"email": "a@x.example", "name": "Ada", "country": "FR", "team": "IT"}


def test_what_a_file_leaves_blank_is_cleared_but_identity_and_language_are_kept() -> None:
    [row] = rows_of("email,name,country,team,role,level,site,locale,leader,external_id\n,Ada,FR,IT,,,,,,E1\n")
    assert isinstance(row, Row)
    assert row.values == {
        "name": "Ada",
        "country": "FR",
        "team": "IT",
        "job": None,
        "level": None,
        "site": None,
        "leader": False,
        "external_id": "E1",
    }


@pytest.mark.parametrize(
    ("line", "field", "rule"),
    [
        ("not-an-address,Ada,FR,IT", "email", "email"),
        ("a@x.example,,FR,IT", "name", "required"),
        ("a@x.example,—,FR,IT", "name", "required"),
        ("a@x.example,\u200b\u00a0,FR,IT", "name", "required"),
        ("a@x.example,Ada,FRX,IT", "country", "country"),
        (f"a@x.example,{'A' * 201},FR,IT", "name", "too-long"),
        ('a@x.example,"Ada\nLee",FR,IT', "name", "line-break"),
        ('a@x.example,"Ada"x,FR,IT', "line", "quotes"),
        ('a@x.example,"Ada,FR,IT', "line", "quotes"),
        ("a@x.example,Ada,FR," + "I" * 20_000, "line", "too-long"),
        (",Ada,FR,IT", "email", "required"),
        ("a@x.example,Ada,FR", "team", "required"),
        ("a@x.example,Ada,FR,IT,more", "line", "columns"),
        ("FIRST@x.example,Ada,FR,IT", "email", "repeated"),
    ],
)
def test_a_row_that_breaks_a_rule_is_named_and_its_neighbours_are_kept(line: str, field: str, rule: str) -> None:
    text = f"{HEADER}first@x.example,First,FR,IT\n{line}\nlast@x.example,Last,DE,IT\n"
    assert errors_of(text) == [(3, field, rule)]
    assert [row.line for row in rows_of(text) if isinstance(row, Row)] == [2, 4 + line.count("\n")]


def test_every_error_of_a_row_is_told() -> None:
    text = "email,name,country,team,locale,leader\nx,,XX,,?,perhaps\n"
    assert [(field, rule) for _, field, rule in errors_of(text)] == [
        ("email", "email"),
        ("name", "required"),
        ("country", "country"),
        ("team", "required"),
        ("locale", "locale"),
        ("leader", "boolean"),
    ]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", (1, "empty")),
        (b"\n \n", (1, "empty")),
        (HEADER.encode(), (1, "empty")),
        (HEADER.encode() + b"\n;;;\n"[:1] * 3, (1, "empty")),
        (b"sep=;\n", (1, "empty")),
        (b"<!doctype html><html></html>\n<p>x</p>\n", (1, "no-columns")),
        (b"PK\x03\x04rest", (1, "workbook")),
        (b"\xd0\xcf\x11\xe0rest", (1, "workbook")),
        (b"\xff\xfea\x00b", (1, "encoding")),
    ],
)
def test_what_is_no_table_is_refused_whole(data: bytes, fault: tuple[int, str]) -> None:
    line, rule = fault
    assert refused(data) == [(line, "body", rule)]


def test_too_many_lines_are_refused() -> None:
    assert refused(HEADER.encode() + b"a@x.example,Ada,FR,IT\n" * 200_000) == [(200_001, "body", "too-many-lines")]


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    found = attempt(data)
    assert found.errors if isinstance(found, Refused) else all(isinstance(row, Row) or row for row in found)


@given(st.text(alphabet=st.sampled_from('ab@.x,;"\n\r\t é\x00\u2028FR'), max_size=200))
def test_every_line_with_a_value_is_told_of_once(body: str) -> None:
    found = attempt((HEADER + "z@x.example,Zoe,FR,IT\n" + body).encode())
    assert not isinstance(found, Refused)
    told = [row.line if isinstance(row, Row) else row[0].line for row in found]
    assert told == sorted(set(told))
    assert told[0] == 2
    lines = (HEADER + "z\n" + body).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    plain = [number for number, line in enumerate(lines, 1) if number > 2 and line.replace(",", "").strip()]
    if '"' not in body:
        assert told[1:] == plain
    assert set(told) <= {2, *plain}


_TEXT = st.text(
    st.characters(exclude_categories=["C", "Zl", "Zp"], include_characters='",;'), min_size=1, max_size=40
).filter(names_something)


@given(st.lists(st.tuples(_TEXT, _TEXT), min_size=1, max_size=8), st.sampled_from(",;\t"))
def test_what_a_csv_writer_wrote_is_read_back(people: list[tuple[str, str]], delimiter: str) -> None:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerow(["external_id", "name", "country", "team"])
    writer.writerows([f"E{number}", one, "FR", team] for number, (one, team) in enumerate(people))
    found = rows_of(file.getvalue())
    assert [row.values["name"] for row in found if isinstance(row, Row)] == [name(one) for one, _ in people]
    assert [row.values["team"] for row in found if isinstance(row, Row)] == [name(one) for _, one in people]


def test_known_columns_are_those_that_are_read() -> None:
    [row] = rows_of(",".join(COLUMNS) + "\n" + "a@x.example,Ada Lee,Ada,Lee,FR,IT,r,l,s,fr,no,E1\n")
    assert isinstance(row, Row)
    assert set(row.values) == set(COLUMNS) - {"role", "first_name", "last_name"} | {"job"}


@pytest.mark.parametrize(
    "header",
    ["name,country", "email,name,team", "name,country,team", "email,country,team"],
)
def test_what_no_column_is_is_told(header: str) -> None:
    wanted = {"email", "name", "country", "team"}
    assert set(missing(recognised(header.split(","), {}))) == wanted - set(header.split(","))


def test_new_changed_and_unchanged_people_are_told_apart() -> None:
    ada, bob = person("ada", email="ada@x.example"), person("bob", external_id="B1", name="Bob")
    same = {"email": "ada@x.example", "name": "Ada", "country": "FR", "team": "IT"}
    found = planned(
        [
            same,
            {"external_id": "B1", "team": "Sales"},
            {"email": "eve@x.example", "name": "Eve", "country": "DE", "team": "IT"},
        ],
        ada,
        bob,
    )
    assert found.unchanged == 1
    [(before, after)] = found.changed
    assert before == bob
    assert (after.team, after.version, after.updated_at, after.name) == ("Sales", 2, LATER, "Bob")
    [eve] = found.created
    assert (eve.id, eve.version, eve.locale, eve.email) == ("new-p1", 1, "en", "eve@x.example")
    assert found.errors == []


@pytest.mark.parametrize(
    ("row", "field", "rule"),
    [
        ({"external_id": "A1", "email": "bob@x.example"}, "email", "belongs-to-another"),
        ({"external_id": "Z9", "email": "ada@x.example"}, "external_id", "differs"),
        ({"email": "gone@x.example"}, "email", "inactive"),
        ({"external_id": "G1"}, "external_id", "inactive"),
    ],
)
def test_two_people_are_never_mixed_up(row: dict[str, Any], field: str, rule: str) -> None:
    known = (
        person("ada", email="ada@x.example", external_id="A1"),
        person("bob", email="bob@x.example"),
        person("gone", email="gone@x.example", external_id="G1", active=False),
    )
    found = planned([{"name": "N", "country": "FR", "team": "T", **row}], *known)
    assert [(error.line, error.field, error.rule) for error in found.errors] == [(2, field, rule)]
    assert not found.created
    assert not found.changed


def test_one_person_is_changed_by_one_row_of_a_file() -> None:
    ada = person("ada", email="ada@x.example", external_id="A1")
    found = planned([{"email": "ada@x.example", "team": "B"}, {"external_id": "A1", "team": "C"}], ada)
    assert [after.team for _, after in found.changed] == ["B"]
    assert [(error.field, error.rule) for error in found.errors] == [("external_id", "repeated-person")]


def test_an_address_that_one_gave_up_can_be_another_s() -> None:
    ada = person("ada", email="office@x.example", external_id="A1")
    found = planned(
        [
            {"external_id": "A1", "email": "ada@x.example"},
            {"email": "office@x.example", "name": "Bob", "country": "FR", "team": "T"},
        ],
        ada,
    )
    assert [after.email for _, after in found.changed] == ["ada@x.example"]
    assert [one.email for one in found.created] == ["office@x.example"]


def test_a_language_that_was_chosen_is_not_imported_over() -> None:
    ada = person("ada", email="ada@x.example", locale="fr", locale_chosen=True)
    assert planned([{"email": "ada@x.example", "locale": "en"}], ada).unchanged == 1


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "a@x.example", "b@x.example", "c@x.example"]),
            st.sampled_from(["", "1", "2", "3"]),
            st.sampled_from(["T", "U"]),
        ),
        max_size=8,
    )
)
def test_importing_the_same_rows_again_changes_nothing(cells: list[tuple[str, str, str]]) -> None:
    text = "email,external_id,name,country,team\n" + "".join(f"{a},{b},N,FR,{t}\n" for a, b, t in cells)
    try:
        found = [row for row in rows_of(text) if isinstance(row, Row)]
    except Refused:
        return
    names = ids()
    first = plan(found, [], now=NOW, new_id=lambda: next(names), locale="en")
    assert not first.changed
    taken = [key for one in first.created for key in (one.email, one.external_id) if key]
    assert len(taken) == len(set(taken))
    again = plan(found, first.created, now=LATER, new_id=lambda: next(names), locale="en")
    assert (again.created, again.changed) == ([], [])
    assert again.unchanged + len(again.errors) == len(found)


# --- as HR systems and spreadsheets write them -----------------------------------------------------------------------

PERSONIO = """sep=;
Personalnummer;Vorname;Nachname;Geschäftliche E-Mail;Abteilung;Land;Standort;Führungskraft;Gehalt;;
4711;Jürgen;Groß;Juergen.Gross@firma.example;Qualität & IT;Deutschland;München;WAHR;"65.000,00 €";;
4712;Anna-Lena;Weiß;;Vertrieb;DE;Köln;FALSCH;;;
4713;Sören;Müller;s.mueller@firma.example;Vertrieb;Österreich;Wien;nein;1
"""
LUCCA = """"Matricule";"Nom";"Prénom";"Courriel";"Pays";"Département";"Intitulé du poste";"Entrée";"Encadrant"
"00042";"Le Gall";"Élise";"elise@societe.example";"France";"Ressources humaines";"Chargée de com";"2020";"VRAI"
"00043";"N'Diaye";"Awa";"awa@societe.example";"Belgique";"RESSOURCES HUMAINES";"";"2021";"FAUX"
"00044";"Œuvrard";"Zoé";"zoe@societe.example";"Royaume-Uni";"Direction
générale";"";"";"oui"
"""
WORKDAY = '''Active employees as of 1 March 2026

Employee ID,Display Name,Work Email,Country,Department,Job Title,Notes,Is Manager
E-1,"O'Neill, Siobhán",siobhan@company.example,UK,R&D,"Engineer, senior","first line
second, ""line""",TRUE
E-2,Tom,tom@company.example,GBR,r & d
'''


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_german_file(encoding: str, newline: str) -> None:
    found = rows_of(PERSONIO.replace("\n", newline).encode(encoding))
    assert found == [
        Row(3, {"external_id": "4711", "name": "Jürgen Groß", "email": "juergen.gross@firma.example",
                "team": "Qualität & IT", "country": "DE", "site": "München", "leader": True}),
        Row(4, {"external_id": "4712", "name": "Anna-Lena Weiß", "team": "Vertrieb", "country": "DE", "site": "Köln",
                "leader": False}),
        Row(5, {"external_id": "4713", "name": "Sören Müller", "email": "s.mueller@firma.example", "team": "Vertrieb",
                "country": "AT", "site": "Wien", "leader": False}),
    ]  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_a_french_file(encoding: str) -> None:
    found = rows_of(LUCCA.encode(encoding))
    assert found == [
        Row(2, {"external_id": "00042", "name": "Élise Le Gall", "email": "elise@societe.example",
                "country": "FR", "team": "Ressources humaines", "job": "Chargée de com", "leader": True}),
        Row(3, {"external_id": "00043", "name": "Awa N'Diaye", "email": "awa@societe.example", "country": "BE",
                "team": "RESSOURCES HUMAINES", "job": None, "leader": False}),
        [LineViolation("team", "line-break", "A line break is in this value.", 4)],
    ]  # fmt: skip
    assert len({match_key(one.values["team"]) for one in found if isinstance(one, Row)}) == 1


def test_a_british_file() -> None:
    assert rows_of(WORKDAY) == [
        Row(4, {"external_id": "E-1", "name": "O'Neill, Siobhán", "email": "siobhan@company.example", "country": "GB",
                "team": "R&D", "job": "Engineer, senior", "leader": True}),
        Row(6, {"external_id": "E-2", "name": "Tom", "email": "tom@company.example", "country": "GB", "team": "r & d",
                "job": None, "leader": False}),
    ]  # fmt: skip


def test_columns_are_known_by_their_words_and_others_are_ignored() -> None:
    table = read_table(PERSONIO.encode(), is_known)
    found = recognised(table.headings, {})
    assert [one.column for one in found] == [
        "external_id", "first_name", "last_name", "email", "team", "country", "site", "leader", None,
    ]  # fmt: skip
    assert [one.known for one in found][-1] is None
    assert with_examples(found, table)[2].examples == ("Groß", "Weiß", "Müller")


@pytest.mark.parametrize(
    ("headings", "columns"),
    [
        ("Nom;Pays;Équipe;Courriel", ["name", "country", "team", "email"]),
        ("Nom;Prénom;PAYS ;equipe;E‑mail *", ["last_name", "first_name", "country", "team", "email"]),
        ("Name;Vorname;Land;Abteilung;PersNr", ["last_name", "first_name", "country", "team", "external_id"]),
        ("E-mail;Courriel;Nom complet", ["email", None, "name"]),
        ("n° matricule;Service;Ville;Langue", ["external_id", "team", "site", "locale"]),
    ],
)
def test_headings_in_other_words(headings: str, columns: list[str | None]) -> None:
    assert [one.column for one in recognised(headings.split(";"), {})] == columns


def test_what_was_chosen_before_is_remembered() -> None:
    remembered = {heading_key("Cost Centre"): "team", heading_key("Department"): "", heading_key("Pers."): "name"}
    found = recognised(["Department", "cost  CENTRE", "Team", "pers", "Pers."], remembered)
    assert [(one.column, one.known) for one in found] == [
        (None, "remembered"), ("team", "remembered"), (None, None), ("name", "remembered"), (None, "remembered"),
    ]  # fmt: skip


def test_columns_that_are_chosen_are_each_one() -> None:
    assert [one.column for one in chosen(["a", "b"], ["email", None])] == ["email", None]
    for columns in (["email"], ["email", "email"]):
        with pytest.raises(Invalid):
            chosen(["a", "b"], columns)


def test_a_broken_byte_costs_its_row_alone() -> None:
    text = (HEADER + "a@x.example,Zoé,FR,IT\nb@x.example,B?a,FR,IT\nc@x.example,Ève,FR,IT\n").encode()
    text = text.replace(b"?", b"\xe9")
    assert [one.values["name"] if isinstance(one, Row) else one[0].rule for one in rows_of(text)] == [
        "Zoé", "not-utf-8", "Ève",
    ]  # fmt: skip


def test_text_of_spreadsheets_is_text() -> None:
    [row] = rows_of('external_id,name,country,team\n"=""00042""",\'=Ada,FR,\'-IT\n')
    assert isinstance(row, Row)
    assert row.values == {"external_id": "00042", "name": "=Ada", "country": "FR", "team": "-IT"}


def test_an_open_quote_costs_no_more_than_its_row() -> None:
    lines = [f"p{number}@x.example,Ada,FR,IT" for number in range(200)]
    lines[3] = 'x@x.example,"Ada,FR,IT'
    found = rows_of(HEADER + "\n".join(lines))
    assert next(one for one in found if not isinstance(one, Row))[0].rule == "quotes"
    assert sum(isinstance(one, Row) for one in found) == 199


@pytest.mark.parametrize(
    ("words", "code"),
    [("United Kingdom", "GB"), ("uk", "GB"), ("Royaume-Uni", "GB"), ("Allemagne", "DE"), ("DEU", "DE"), ("fra", "FR"),
     ("CÔTE D’IVOIRE", "CI"), ("Vereinigte Staaten", "US"), ("Tschechien", "CZ"), ("XK", None), ("EU", None)],
)  # fmt: skip
def test_countries_by_name(words: str, code: str | None) -> None:
    if code is None:
        with pytest.raises(fields.FieldError):
            fields.country(words)
    else:
        assert fields.country(words) == code


@pytest.mark.parametrize(
    ("words", "tag"), [("Français", "fr"), ("german", "de"), ("Englisch", "en"), ("fr_FR", "fr-FR")]
)
def test_languages_by_name(words: str, tag: str) -> None:
    assert fields.locale(words) == tag


@pytest.mark.parametrize(
    ("words", "yes"),
    [("VRAI", True), ("FAUX", False), ("WAHR", True), ("FALSCH", False), ("ja", True), ("Nein", False), ("Oui", True),
     ("non", False), ("TRUE", True), ("x", True), ("", False), ("0", False)],
)  # fmt: skip
def test_yes_and_no(words: str, yes: bool) -> None:
    assert fields.boolean(words) is yes


def test_a_change_that_changes_nothing_is_the_same_person() -> None:
    ada = person("ada")
    assert change(ada, LATER, team="IT") is ada
