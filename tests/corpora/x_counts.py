"""X's lengths beside those of twitter-text, on texts that Hypothesis makes of what links and emoji are made of."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from re import _constants as constants
from re import _parser as parser
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.sharing import networks
from services.sharing.networks.x_text import weighted_length
from tests.corpora import MISSES, Share
from tests.node import FOLDER, NODE, node_modules, run_script

SCRIPT = "x-text.mjs"
SHORT, LONG = 3_000, 60_000


def measure(short: bool) -> list[Share]:
    """Whether what is known of domains and emoji is the same, and how many lengths are."""
    return [_rules(), _lengths(SHORT if short else LONG)]


# --- what is known -----------------------------------------------------------------------------------------------


def rules() -> dict[str, list[str]]:
    """What twitter-text knows, as `x_text.json` holds it: top-level domains, emoji, and symbols that are emoji unless
    a selector says that they are text."""
    said = json.loads(run_script(SCRIPT, "rules"))
    every = set(_expanded(parser.parse(said["emoji"])))
    symbols = {one[:-1] for one in every if one.endswith(UNLESS_TEXT)}
    emoji = {one for one in every if not one.endswith(UNLESS_TEXT)} - symbols
    found = {"generic": said["generic"], "country": said["country"], "emoji": emoji, "symbols": symbols}
    return {name: sorted(map(_characters, some)) for name, some in found.items()}


UNLESS_TEXT = "\0"


def _expanded(pattern: Any) -> list[str]:
    """Every text that a regular expression without repetitions stands for."""
    texts = [""]
    for kind, what in pattern:
        if kind is constants.LITERAL:
            some = [chr(what)]
        elif kind is constants.IN:
            some = [chr(code) for one, of in what for code in _codes(one, of)]
        elif kind is constants.BRANCH:
            some = [text for branch in what[1] for text in _expanded(branch)]
        elif kind is constants.SUBPATTERN:
            some = _expanded(what[-1])
        elif kind is constants.MAX_REPEAT and what[:2] == (0, 1):
            some = ["", *_expanded(what[2])]
        elif kind is constants.ASSERT_NOT:
            some = [UNLESS_TEXT]
        else:
            raise ValueError(f"{kind} is none of what the emoji are written with")
        texts = [before.replace(UNLESS_TEXT, "") + text if text else before for before in texts for text in some]
    return texts


def _codes(kind: Any, what: Any) -> range:
    return range(what, what + 1) if kind is constants.LITERAL else range(what[0], what[1] + 1)


def _characters(units: str) -> str:
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def _rules() -> Share:
    known = json.loads((files(networks) / "x_text.json").read_bytes())
    wanted = {(kind, one) for kind, some in rules().items() for one in some}
    found = {(kind, one) for kind, some in known.items() for one in some}
    differing = sorted(wanted ^ found)
    misses = tuple(f"{kind} {one}" for kind, one in differing[:MISSES])
    return Share(
        "domains and emoji that X knows", len(wanted & found) if not differing else 0, len(wanted), 1.0, misses
    )


# --- lengths -----------------------------------------------------------------------------------------------------

PIECES = (
    *("http://", "https://", "HTTPS://", "t.co/", "https://t.co/abc", "https://t.co/" + "a" * 41, "example", "com"),
    *(".com", ".co", ".xn--p1ai", ".онлайн", ".МОСКВА", ".भारत", ".भारतम्", "xn--", "xn--abc", ":8080", "%20"),
    *'.,:;/?!#@$&=+~|-_()[]<>"`…‑–。＃＠ \n\x01',
    *("a", "é", "ｅ", "ß", "K", "ſ", "ι", "İ", "日本", "한국", "рф", "e\u0301", "a" * 64, "日" * 64),
    *("(a_(b))", "/@user/", "/p?q=1.", "foo.com/bar", "https://a.io/x(y)", "bücher.example.com", "a.b.c.org"),
    *("日本語.com/あ", "🎉", "👩", "🏽", "🇫", "🇷", "1\ufe0f\u20e3", "\u200d", "\ufe0f", "\ufe0e", "\u202a", "\ufeff"),
)


def _texts() -> st.SearchStrategy[str]:
    known = json.loads((files(networks) / "x_text.json").read_bytes())
    domains = st.sampled_from([f".{name}" for name in (*known["generic"], *known["country"])])
    emoji = st.sampled_from([*known["emoji"], *known["symbols"]])
    anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
    return st.lists(st.one_of(st.sampled_from(PIECES), domains, emoji, anything), max_size=10).map("".join)


def _lengths(count: int) -> Share:
    seen: dict[str, bool] = {}
    with _judge() as judge:

        @settings(
            max_examples=count,
            database=None,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(_texts())
        def compare(text: str) -> None:
            seen[text] = weighted_length(text) == judge(text)

        compare()
    misses = tuple(repr(text) for text, same in seen.items() if not same)
    return Share("lengths that are X's own", len(seen) - len(misses), len(seen), 1.0, misses[:MISSES])


@contextmanager
def _judge() -> Iterator[Any]:
    """twitter-text, which is asked one text after the other."""
    node_modules()
    with subprocess.Popen(
        [NODE, FOLDER / SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as judge:
        assert judge.stdin is not None
        assert judge.stdout is not None
        given, said = judge.stdin, judge.stdout

        def length(text: str) -> float:
            given.write(json.dumps(text) + "\n")
            given.flush()
            return float(said.readline())

        yield length
        given.close()


if __name__ == "__main__":  # writes what is known anew, after an update of twitter-text
    lines = (f"{json.dumps(kind)}: {json.dumps(some, ensure_ascii=False)}" for kind, some in rules().items())
    Path(networks.__file__).with_name("x_text.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
