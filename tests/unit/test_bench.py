"""The frame of the benches: its arithmetic, and the shape of what it writes."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from bench import frame
from bench.frame import Bench, Comparison, Findings, Limit, Size
from bench.harness import Harness

HARNESS = Harness("127.0.0.1:1", "mongodb://127.0.0.1:1", "redis://127.0.0.1:1", Path(), 1)


@pytest.fixture(autouse=True)
def _without_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Harness, "versions", lambda _: {"python": "3.11"})


def bench_of(
    floors: Sequence[float], heralds: Sequence[float], *, limits: Sequence[Limit] = (), **changes: Any
) -> tuple[Bench, list[str]]:
    """A bench that finds these values, and the order in which its sides were measured."""
    order: list[str] = []

    @contextmanager
    def open_(harness: Harness, size: Size) -> Iterator[Comparison]:
        left, right = iter(floors), iter(heralds)

        def floor() -> float:
            order.append("floor")
            return next(left)

        def herald() -> float:
            order.append("herald")
            return next(right)

        yield Comparison(herald, floor if floors else None, lambda _: Findings(limits, {"more": 1}))

    fields: dict[str, Any] = {
        "name": "metrics",
        "counted": "things",
        "unit": "things/s",
        "aim": 0.8,
        "size": Size(3, 10),
        "packages": ("aiokafka",),
        "open": open_,
        **changes,
    }
    return Bench(**fields), order


def measured(bench: Bench) -> dict[str, Any]:
    found = frame.run(bench, HARNESS, bench.size, command="herald bench metrics", say=lambda _: None)
    return cast("dict[str, Any]", json.loads(json.dumps(found)))


def test_a_ratio_says_how_near_the_floor_is_whichever_way_the_unit_counts() -> None:
    assert frame.ratio("more", 100, 80) == pytest.approx(0.8)
    assert frame.ratio("less", 8, 10) == pytest.approx(0.8)


def test_rounds_alternate_and_change_who_goes_first() -> None:
    bench, order = bench_of([100, 100, 200], [50, 90, 160])

    found = measured(bench)

    assert order == ["floor", "herald", "herald", "floor", "floor", "herald"]
    assert found["rounds"] == [
        {"floor": 100, "herald": 50, "ratio": 0.5},
        {"floor": 100, "herald": 90, "ratio": 0.9},
        {"floor": 200, "herald": 160, "ratio": 0.8},
    ]
    assert found["ratio"] == {"min": 0.5, "median": 0.8, "max": 0.9}
    assert found["ok"] is True


def test_a_result_names_where_and_how_it_was_measured() -> None:
    found = measured(bench_of([100, 100, 100], [90, 90, 90])[0])

    assert {"name", "command", "machine", "versions", "rounds", "ratio", "aim", "ok"} <= found.keys()
    assert found["command"] == "herald bench metrics"
    assert {"processor", "cores", "memory_gib", "system", "load", "speed"} == found["machine"].keys()
    assert len(found["machine"]["load"]["before"]) == 3
    assert len(found["machine"]["speed"]) == len(found["rounds"]) + 1
    assert found["versions"].keys() == {"aiokafka", "python"}
    assert found["figures"] == {"more": 1}


@pytest.mark.parametrize(
    ("heralds", "limits", "ok"),
    [
        ([79, 79, 90], (), False),
        ([81, 81, 10], (), True),
        ([90, 90, 90], (Limit("p99", 9.9, 10, "ms"),), True),
        ([90, 90, 90], (Limit("p99", 10, 10, "ms"),), False),
    ],
)
def test_what_was_aimed_at_is_reached_by_the_median_and_by_every_limit(
    heralds: list[float], limits: tuple[Limit, ...], ok: bool
) -> None:
    assert measured(bench_of([100, 100, 100], heralds, limits=limits)[0])["ok"] is ok


def test_a_bench_without_a_floor_has_no_ratio() -> None:
    found = measured(bench_of([], [5, 7, 6], limits=[Limit("p99", 9, 10, "ms")], aim=None)[0])

    assert found["rounds"][0] == {"floor": None, "herald": 5, "ratio": None}
    assert found["ratio"] == {"min": None, "median": None, "max": None}
    assert found["ok"] is True
    assert frame.row(found)[2:5] == ("–", "6; p99 9 ms", "–")


def test_results_become_the_table_that_the_page_quotes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame, "RESULTS", tmp_path / "results")
    found = measured(bench_of([1000, 1000, 2000], [500, 900, 1600])[0])

    frame.write(found)
    table = frame.markdown(frame.kept())
    page = frame.quoted(f"before\n{frame.BEGIN}\nold\n{frame.END}\nafter\n", table)

    assert frame.kept() == [found]
    assert "| metrics | things (things/s) | 1,000 | 900 | 0.80 (0.50 to 0.90) | ≥ 0.8 | yes |" in table
    assert page.startswith(f"before\n{frame.BEGIN}\n| bench |")
    assert page.endswith(f"{frame.END}\nafter\n")
    assert "old" not in page
    assert frame.quoted(page, table) == page
    with pytest.raises(ValueError, match="no marks"):
        frame.quoted("a page", table)


def test_every_bench_can_be_found_and_says_what_it_measures() -> None:
    for name in (*frame.NAMES, *frame.BESIDE):
        bench = frame.find(name)
        assert bench.name == name
        assert bench.counted
        assert bench.packages
        assert re.fullmatch(r"[a-z/]+", bench.unit.lower())
