"""A programme's colour, and its end."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.problems import Conflict, Invalid
from services.program.domain.looks import DARK, LIGHT, check_colour, contrast, is_seen, nearest, text_colour
from services.program.domain.programs import archive_program, change_program, restore_program
from tests.unit.program.test_people import program

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@given(colours)
def test_text_is_legible_on_every_colour_and_each_has_a_shade_that_is_seen(colour: str) -> None:
    assert contrast(text_colour(colour), colour) >= 4.5
    shade = nearest(colour)
    assert min(contrast(shade, LIGHT), contrast(shade, DARK)) >= 3
    assert (shade == colour) or not is_seen(colour) or contrast(shade, colour) < 1.05


def test_a_colour_that_is_hardly_seen_is_refused_with_its_nearest_shade() -> None:
    for colour in ("#fff3b0", "#101010"):
        with pytest.raises(Invalid) as raised:
            change_program(program(), NOW, colour=colour)
        [error] = raised.value.errors
        assert (error.field, error.rule) == ("colour", "contrast")
        check_colour(str((error.params or {})["suggestion"]))
    assert change_program(program(), NOW, colour="#b0413e").text_colour == "#ffffff"


@given(st.lists(st.sampled_from(["change", "archive", "restore"]), max_size=10))
def test_what_is_over_is_not_changed_and_every_change_is_a_version(acts: list[str]) -> None:
    one = program()
    for number, act in enumerate(acts):
        if act == "change":
            if one.archived_at:
                with pytest.raises(Conflict) as raised:
                    change_program(one, NOW, name="Other")
                assert raised.value.type == "program-archived"
                continue
            after = change_program(one, NOW, name=f"Name {number}")
        else:
            after = (archive_program if act == "archive" else restore_program)(one, NOW)
            assert (after.archived_at is not None) == (act == "archive")
            assert (archive_program if act == "archive" else restore_program)(after, NOW) is after
        assert after.version - one.version == (after is not one)
        one = after
