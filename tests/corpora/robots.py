"""Robots found and people kept, by user agents that others collected.

The rule was built on the list of `crawler-user-agents`, on CrawlerDetect's robots and devices, and on npm's
`user-agents`; the other lists were not looked at for it, but for Matomo's robots, of which the first misses were read
once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from services.sharing.redirect.robots import is_robot
from tests.corpora import MISSES, Share
from tests.corpora.packages import SourceDistribution
from tests.node import node_modules

ROBOTS_AIM, PEOPLE_AIM = 0.99, 0.995
CRAWLER_DETECT = SourceDistribution(
    "crawlerdetect", "0.4.2", "2ecbc825ec9bbfe94d1878078fbc3d336ed4b247a00dd56691479554ca3cb2ef"
)
MATOMO = SourceDistribution(
    "device_detector", "6.5.1", "610ed34b173b96ee91aa38165084695bbf76f6a5bd76bbb4fd777f7af1ff4170"
)
IS_CRAWLER = SourceDistribution(
    "is_crawler", "1.5.25", "d0f5254cfe9debea88285a392952810987785dbfed4a9748a6366df6263feb11"
)
SHORT = 20
"""In the short form one of so many is taken of the large lists."""
LARGE = 5000


def measure(short: bool) -> list[Share]:
    """Each list apart: what share of it is judged as its collectors say."""
    robots = {name: _share(f"robots of {name}", agents, short, robots=True) for name, agents in _robots()}
    people = {name: _share(f"people of {name}", agents, short, robots=False) for name, agents in _people()}
    return [*robots.values(), *people.values()]


def _share(name: str, agents: Iterable[str], short: bool, *, robots: bool) -> Share:
    listed = list(dict.fromkeys(agents))
    if short and len(listed) > LARGE:
        listed = listed[::SHORT]
    missed = [agent for agent in listed if is_robot(agent) is not robots]
    aim = ROBOTS_AIM if robots else PEOPLE_AIM
    return Share(name, len(listed) - len(missed), len(listed), aim, tuple(missed[:MISSES]))


def _robots() -> Iterator[tuple[str, Iterable[str]]]:
    entries = json.loads((files("crawleruseragents") / "crawler-user-agents.json").read_bytes())
    yield "crawler-user-agents", [agent for entry in entries for agent in entry["instances"]]
    yield "CrawlerDetect", _lines(_crawler_detect() / "crawlers.txt")
    matomo = MATOMO.folder() / "device_detector/tests/fixtures/upstream/bots.yml"
    yield "Matomo", [row["user_agent"] for row in yaml.load(matomo.read_text(), Loader=yaml.CSafeLoader)]
    for name in ("loadkpi_crawlers", "crawler_user_agents_pgts"):
        yield f"is_crawler, {name}", _lines(_is_crawler() / f"{name}.txt")


def _people() -> Iterator[tuple[str, Iterable[str]]]:
    entries: list[dict[str, str]] = _json("user-agents/dist/user-agents.json")
    yield "user-agents", [entry["userAgent"] for entry in entries]
    yield (
        "top-user-agents",
        [agent for kind in ("index", "desktop", "mobile") for agent in _json(f"top-user-agents/src/{kind}.json")],
    )
    yield "CrawlerDetect, browsers on devices", filter(_of_a_browser, _lines(_crawler_detect() / "devices.txt"))
    for name in ("browser_user_agents", "browser_user_agents_extended"):
        yield f"is_crawler, {name}", _lines(_is_crawler() / f"{name}.txt")


def _of_a_browser(agent: str) -> bool:
    """That list has libraries and applications without a browser too; what follows a link for a person begins so."""
    return agent.startswith(("Mozilla/", "Opera/"))


def _crawler_detect() -> Path:
    return CRAWLER_DETECT.folder() / "tests/fixtures/user_agent"


def _is_crawler() -> Path:
    return IS_CRAWLER.folder() / "tests/fixtures"


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(errors="replace").splitlines() if line.strip()]


def _json(path: str) -> Any:
    return json.loads((node_modules() / path).read_bytes())
