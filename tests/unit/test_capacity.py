"""The capacity model: arithmetic on figures that are made up here, and the page that quotes it."""

from dataclasses import replace

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.capacity import measured, page
from bench.capacity.__main__ import AMBASSADORS, assumed_with
from bench.capacity.assumptions import Assumptions
from bench.capacity.measured import Cost, Measured
from bench.capacity.model import GIB, Capacity, Work, capacity

NOTHING = Cost({}, {}, {}, {}, 0)
ASSUMED = Assumptions()
MEASURED = Measured(
    rates={"redirect": 10_000, "metrics": 10_000, "gamification": 5_000, "outbox": 500},
    of_one={
        "person": replace(NOTHING, mongo_bytes={"program.people": 1_000}),
        "ambassador": replace(NOTHING, redis_bytes=100),
        "share": Cost(
            {"sharing-api": 20, "mongod": 5}, {"sharing.posts": 500}, {"herald.posts": 300}, {"herald.posts": 1}, 10
        ),
        "click": Cost(
            {"sharing-links": 1, "metrics-worker": 2},
            {"metrics.facts": 400, "metrics.inbox": 100},
            {"herald.clicks": 200, "herald.engagements": 300},
            {"herald.clicks": 1, "herald.engagements": 1},
            0,
        ),
        "view": replace(NOTHING, cpu_ms={"hub-api": 30}),
    },
    idle_millicores={"sharing-api": 5, "kafka": 20},
    memory_mb={"sharing-api": 100, "sharing-links": 90, "metrics-worker": 120, "hub-api": 110, "kafka": 700},
    kept_days={"metrics.inbox": 30},
    sources=[],
)  # fmt: skip


def of(ambassadors: int, assumed: Assumptions = ASSUMED) -> Capacity:
    return capacity(ambassadors, MEASURED, assumed)


def test_what_there_is_to_do_by_hand() -> None:
    work = Work.of(1_000, ASSUMED)
    assert (work.shares_a_day, work.clicks_a_day) == (400, 2_000)
    assert work.a_second["click"] == pytest.approx(2_000 / 5 / 3_600)
    assert work.a_second["view"] == pytest.approx(1_000 * 0.3 * 4 / 3_600)


def test_a_years_storage_by_hand() -> None:
    """1,000 ambassadors of 5,000 people: 100,000 shares and 500,000 clicks a year; the inbox keeps 30 days of them."""
    one = of(1_000)
    assert one.mongo["program"] == 5_000 * 1_000
    assert one.mongo["sharing"] == 100_000 * 500
    assert one.mongo["metrics"] == pytest.approx(500_000 * (400 + 100 * 30 / 365))
    assert one.kafka_a_day == {"herald.engagements": 600_000, "herald.clicks": 400_000, "herald.posts": 120_000}
    assert one.kafka == 250 * (600_000 + 120_000) + 7 * 400_000
    assert one.redis == 1_000 * 100 + 400 * 10
    assert one.disk_gib == pytest.approx(3 * (sum(one.mongo.values()) + one.kafka) / GIB)


def test_pods_by_hand() -> None:
    """A million: 1,200,000 views in an hour of 30 ms each keep ten cores busy, of which each is full at 0.6."""
    role = of(1_000_000).roles["hub-api"]
    assert role.cores == pytest.approx(10)
    assert role.pods == 17
    assert {one.pods for one in of(1_000).roles.values()} == {2}
    assert set(of(1_000).roles) == {"sharing-api", "sharing-links", "metrics-worker", "hub-api"}


@given(st.integers(1, 10**6), st.integers(2, 50))
@settings(max_examples=30, deadline=None)
def test_a_limit_is_reached_by_as_many_ambassadors_whatever_their_number(ambassadors: int, times: int) -> None:
    """Storage grows with them, and what one asks for does not change where a limit is."""
    few, many = of(ambassadors), of(ambassadors * times)
    assert many.disk_gib == pytest.approx(few.disk_gib * times)
    assert many.cores_used_a_month >= few.cores_used_a_month
    assert {one.what: pytest.approx(one.ambassadors) for one in few.limits} == {
        one.what: one.ambassadors for one in many.limits
    }
    assert [one.ambassadors for one in few.limits] == sorted(one.ambassadors for one in few.limits)


def test_at_its_limit_a_role_has_all_the_pods_that_the_chart_gives_it() -> None:
    limit = next(one for one in of(1_000).limits if one.what.startswith("`hub-api`"))
    assert of(int(limit.ambassadors)).roles["hub-api"].pods == 10
    assert of(int(limit.ambassadors * 1.02)).roles["hub-api"].pods == 11


def test_an_assumption_is_set_by_its_name() -> None:
    assumed = assumed_with(["shares=1", "clicks=0.5"])
    assert of(1_000, assumed).work.clicks_a_day == 100
    for wrong in ("shares", "shares=", "shares=0", "shares=-1", "shears=1", "shares=many"):
        with pytest.raises(typer.BadParameter, match="shares"):
            assumed_with([wrong])


def test_prices_are_of_what_is_asked_for() -> None:
    one = of(100_000)
    assert page.Prices().a_month(one) == 0
    paid = page.Prices(0.05, 3, 0.1).a_month(one)
    assert paid == pytest.approx(one.cores_requested * 36.5 + one.memory_gib * 3 + one.disk_gib * 0.1)
    assert "at your prices" in page.costs([one], page.Prices(disk_gib_month=0.1))
    assert "at your prices" not in page.costs([one], page.Prices())


@pytest.mark.parametrize(
    ("value", "said"), [(0, "0"), (0.0123, "0.012"), (3.14, "3.1"), (123.4, "120"), (2_345_678, "2,300,000")]
)
def test_a_figure_has_two_that_count(value: float, said: str) -> None:
    assert page.figure(value) == said


def test_the_page_has_what_the_model_says() -> None:
    """`python -m bench.capacity --page` writes it anew."""
    known = measured.read()
    found = [capacity(one, known, ASSUMED) for one in AMBASSADORS]
    text = page.whole(found, known, ASSUMED, page.Prices())
    assert page.quoted(page.PAGE.read_text("utf-8"), text) == page.PAGE.read_text("utf-8")
