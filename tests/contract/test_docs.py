"""What the pages and comments point to exists: links between pages, and the files and folders that they name."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`([\w.*-]+(?:/[\w.*-]+)*/?)`")
ENDING = re.compile(r"\.(py|md|toml|yaml|yml|html|css|js|po|mjs|sh|txt|json)$")
# Made when they are needed, or a subscriber's own: not in the repository.
MADE = re.compile(r"(\.venv|\.herald|\.env|pip\.conf|(tests/(fault|peers)/)?results|contracts/released)(/|$)")


@cache
def files() -> frozenset[str]:
    """Every file of the repository, tracked or about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    return frozenset(path for path in listed if (ROOT / path).is_file())


@cache
def folders() -> frozenset[str]:
    return frozenset(str(parent) for path in files() for parent in Path(path).parents)


@cache
def endings() -> frozenset[str]:
    """Each file by every ending of its path: `c.py`, `b/c.py`, `a/b/c.py`."""
    paths = [path.split("/") for path in files()]
    return frozenset("/".join(parts[start:]) for parts in paths for start in range(len(parts)))


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: str, text: str) -> Iterator[str]:
    """The relative links of a page whose file or heading is not there."""
    for target in LINK.findall(FENCE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (ROOT / page).parent.joinpath(path).resolve() if path else ROOT / page
        if not found.exists() or (anchor and anchor not in anchors(found.read_text() if path else text)):
            yield target


def missing_files(page: str, text: str) -> Iterator[str]:
    """What a page names in backticks as a file or folder of the repository, and is not in it."""
    tops = {path.split("/")[0] for path in folders()}
    for name in NAMED.findall(text):
        path = name.rstrip("/")
        if "*" in path or MADE.match(path):
            continue
        rooted = "/" in path and path.split("/")[0] in tops
        if not rooted and not ENDING.search(path):
            continue
        beside = str(Path(page).parent / path)
        if path not in endings() and path not in folders() and beside not in files() | folders():
            yield name


PAGES = sorted(path for path in files() if path.endswith(".md"))
CODE = sorted(path for path in files() if path.endswith(".py"))


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    assert list(broken_links(page, (ROOT / page).read_text())) == []


@pytest.mark.parametrize("page", [page for page in PAGES if page != "CHANGELOG.md"])
def test_files_that_a_page_names_are_there(page: str) -> None:
    assert list(missing_files(page, (ROOT / page).read_text())) == []


def test_files_that_code_names_are_there() -> None:
    ours = [path for path in CODE if not path.startswith("tests/")]
    found = {path: list(missing_files(path, (ROOT / path).read_text())) for path in ours}
    assert {path: names for path, names in found.items() if names} == {}


def test_what_is_not_there_would_be_seen() -> None:
    text = "# A page\n[gone](gone.md), [here](#a-page), [no heading](README.md#nowhere), `chassis/gone.py`, `gone.py`"
    assert list(broken_links("README.md", text)) == ["gone.md", "README.md#nowhere"]
    assert list(missing_files("README.md", text)) == ["chassis/gone.py", "gone.py"]
