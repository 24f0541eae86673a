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

from chassis.web.problems import Refused
from services.program.domain.imports import COLUMNS, LineViolation, Plan, Row, plan, read
from services.program.domain.people import Person, change

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 9, tzinfo=UTC)
HEADER = "email,name,country,team\n"


def rows_of(text: str | bytes) -> list[Row | list[LineViolation]]:
    return list(read(text.encode() if isinstance(text, str) else text).rows())


def errors_of(text: str) -> list[tuple[int, str, str]]:
    found = [one for one in rows_of(text) if isinstance(one, list)]
    return [(error.line, error.field, error.rule) for errors in found for error in errors]


def refused(data: bytes) -> list[tuple[int, str, str]]:
    with pytest.raises(Refused) as raised:
        read(data)
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
        ("a@x.example,Ada,FRANCE,IT", "country", "country"),
        ("a@x.example,Ada,UK,IT", "country", "country"),
        (f"a@x.example,{'A' * 201},FR,IT", "name", "too-long"),
        ("a@x.example,A\x07da,FR,IT", "name", "control-character"),
        (",Ada,FR,IT", "email", "required"),
        ("a@x.example,Ada,FR", "line", "columns"),
        ("a@x.example,Ada,FR,IT,more", "line", "columns"),
        ("FIRST@x.example,Ada,FR,IT", "email", "duplicate"),
    ],
)
def test_a_row_that_breaks_a_rule_is_named_and_its_neighbours_are_kept(line: str, field: str, rule: str) -> None:
    text = f"{HEADER}first@x.example,First,FR,IT\n{line}\nlast@x.example,Last,DE,IT\n"
    assert errors_of(text) == [(3, field, rule)]
    assert [row.line for row in rows_of(text) if isinstance(row, Row)] == [2, 4]


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
    ("data", "faults"),
    [
        (b"", [(1, "body", "empty")]),
        (b"\n \n", [(1, "body", "empty")]),
        (HEADER.encode(), [(1, "body", "empty")]),
        (b"email,name,country\na@x.example,Ada,FR\n", [(1, "team", "column-missing")]),
        (b"name,country,team\nAda,FR,IT\n", [(1, "email", "column-missing")]),
        (b"email,name,country,team,salary\n", [(1, "salary", "column-unknown")]),
        (b"email,name,name,country,team\n", [(1, "name", "column-duplicate")]),
        (
            (HEADER + "a@x.example,Zoé,FR,IT\nb@x.example,Bob,FR,IT\nc@x.example,Eva,FR,Qualité\n").encode("latin-1"),
            [(2, "name", "not-utf-8"), (4, "team", "not-utf-8")],
        ),
        ((HEADER + "a@x.example,Ada,FR,IT\n").encode("utf-16"), [(1, "line", "not-utf-8")]),
        ((HEADER + 'a@x.example,"Ada,FR,IT\nb@x.example,Bob,FR,IT\n').encode(), [(2, "name", "quotes")]),
        ((HEADER + 'a@x.example,"Ada"x,FR,IT\n').encode(), [(2, "name", "quotes")]),
        ((HEADER + 'a@x.example,"A""da","F"R"",IT\n').encode(), [(2, "country", "quotes")]),
        ((HEADER + "a@x.example,Ada,FR," + "I" * 20_000 + "\n").encode(), [(2, "line", "too-long")]),
        (b"<!doctype html><html></html>\n", [(1, "<!doctype html><html></html>", "column-unknown")]),
    ],
)
def test_what_is_no_table_is_refused_whole(data: bytes, faults: list[tuple[int, str, str]]) -> None:
    assert refused(data)[: len(faults)] == faults


def test_too_many_lines_are_refused() -> None:
    assert refused(HEADER.encode() + b"a@x.example,Ada,FR,IT\n" * 200_000) == [(200_001, "body", "too-many-lines")]


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    found = attempt(data)
    assert found.errors if isinstance(found, Refused) else all(isinstance(row, Row) or row for row in found)


@given(st.text(alphabet=st.sampled_from('ab@.x,;"\n\r\t é\x00\u2028FR'), max_size=200))
def test_each_line_with_a_value_is_one_row_or_its_errors(body: str) -> None:
    found = attempt((HEADER + body).encode())
    if isinstance(found, Refused):
        assert {error.rule for error in found.errors} <= {"quotes", "empty"}
        return
    lines = (HEADER + body).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    told = [row.line if isinstance(row, Row) else row[0].line for row in found]
    with_values = [
        number for number, line in enumerate(lines, 1) if number > 1 and line.replace(",", "").replace('""', "").strip()
    ]
    assert told == with_values


_TEXT = st.text(
    st.characters(exclude_categories=["C", "Zl", "Zp"], include_characters='",;'), min_size=1, max_size=40
).filter(str.strip)


@given(st.lists(st.tuples(_TEXT, _TEXT), min_size=1, max_size=8), st.sampled_from(",;\t"))
def test_what_a_csv_writer_wrote_is_read_back(people: list[tuple[str, str]], delimiter: str) -> None:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerow(["external_id", "name", "country", "team"])
    writer.writerows([f"E{number}", name, "FR", team] for number, (name, team) in enumerate(people))
    found = rows_of(file.getvalue())
    assert [row.values["name"] for row in found if isinstance(row, Row)] == [name.strip() for name, _ in people]
    assert [row.values["team"] for row in found if isinstance(row, Row)] == [team.strip() for _, team in people]


def test_known_columns_are_those_that_are_read() -> None:
    [row] = rows_of(",".join(COLUMNS) + "\n" + "a@x.example,Ada,FR,IT,r,l,s,fr,no,E1\n")
    assert isinstance(row, Row)
    assert set(row.values) == set(COLUMNS) - {"role"} | {"job"}


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
    assert [(error.field, error.rule) for error in found.errors] == [("external_id", "duplicate")]


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
        rows = [row for row in read(text.encode()).rows() if isinstance(row, Row)]
    except Refused:
        return
    names = ids()
    first = plan(rows, [], now=NOW, new_id=lambda: next(names), locale="en")
    assert not first.changed
    taken = [key for one in first.created for key in (one.email, one.external_id) if key]
    assert len(taken) == len(set(taken))
    again = plan(rows, first.created, now=LATER, new_id=lambda: next(names), locale="en")
    assert (again.created, again.changed) == ([], [])
    assert again.unchanged + len(again.errors) == len(rows)


def test_a_change_that_changes_nothing_is_the_same_person() -> None:
    ada = person("ada")
    assert change(ada, LATER, team="IT") is ada
