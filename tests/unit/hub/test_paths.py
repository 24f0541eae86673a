"""An id never changes which resource is asked for."""

from __future__ import annotations

from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.hub.paths import NoSuchPath, page, v1


@given(
    st.text(min_size=1).filter(lambda text: "/" not in text and not any("\ud800" <= one <= "\udfff" for one in text))
)
def test_a_segment_arrives_as_it_was(id: str) -> None:
    url = httpx.URL("http://content" + v1("feed", id) + "?language=fr")
    assert url.query == b"language=fr"
    assert url.fragment == ""
    raw = url.raw_path.decode().partition("?")[0].split("/")
    assert [unquote(one) for one in raw] == ["", "v1", "feed", id]


@pytest.mark.parametrize("id", ["", "a/b", "/", "../x", "\ud800"])
def test_what_could_be_no_segment_is_none(id: str) -> None:
    with pytest.raises(NoSuchPath):
        v1("feed", id)


def test_a_page_is_quoted_too() -> None:
    assert page("feed", "x?y#z", "share") == "/feed/x%3Fy%23z/share"
