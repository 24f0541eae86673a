"""Who follows a link is a person or a robot, judged by the user agent. Published in docs/guides/clicks.md.

An agent is a robot's

- where it is empty, or longer than `MAX_AGENT`;
- where the list of `crawler-user-agents` knows it, or it shows one of `SIGNS`: what is no browser says so, by an
  address or by a word for what it does;
- where it names no browser engine: libraries, and applications that fetch a preview;
- where it is `compatible` with a browser and none of those old ones that said so of themselves.

Names of telephones and of applications that have a browser inside (`PEOPLE`) are left out before the first two are
asked again, so that "CUBOT" is a telephone, and a crawler on it still one.

All is one automaton in RE2, which reads an agent once: microseconds, and linear in its length whoever wrote it.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any, Final

import re2

LIST: Final = "crawler-user-agents"
LIST_VERSION: Final = version(LIST)
MAX_AGENT: Final = 1024
REMEMBERED: Final = 4096

SIGNS: Final = (
    r"http|\bwww\.|[a-z0-9]\.(?:com|org|net|info|io|ai|edu|gov)\b|[\w.+-]@[a-z][a-z0-9-]*\.[a-z]|\bdot com\b",
    r"bots?(?:\b|_)|robot|crawl|crwl|spider|slurp|scrap(?:e|ing|y)|archiv|harvest|sniff|agent\b",
    r"fetch|scan(?:ner|ning)?\b|check(?:er|ing)?\b|audit|verif(?:y|ier|ication)|validat|inspect|probe\b",
    r"analy[sz](?:er|e|is|tics)|index(?:er|ing)\b|extract|\bdownload(?:er)?\b|collector|translat|transcod",
    r"monitor|survey|measure|watch(?:er|dog|mouse)|uptime|page ?speed|lighthouse|benchmark|\bptst|neustar|gomez",
    r"debugbear|dareboost|dejaclick|dmbrowser|iplabel",
    r"preview|prefetch|prerender|unfurl|favicon|thumb|screenshot|screenie|wkhtml|render(?:er)?\b",
    r"headless|phantomjs|selenium|puppeteer|playwright|webdriver|zombie",
    r"\bfeed|feed(?:er|s)?\b|\brss|rss[/ ;)]|reederformac|aggregat|\bsubscriber|podcast",
    r"(?:search|seo|site|web|link|page|data|image|content)[ _-]?(?:index|tool|grab|collect|copier|client|explorer)",
    r"(?:search|seo|site|link|page|data|image|content)[ _-]?(?:engine|walker|mirror|snap)",
    r"lib(?:www|curl|web)|\bcurl|wget|python|perl|ruby|\bphp|java/|axios|node[.-]?(?:js|fetch)",
    r"google[-_]|google (?:page|web|keyword|search|favicon|ad|pp)|-google\b|binglocal|\bdaum(?:oa)?\b",
    r"chatgpt|gptbot|claude|imageproxy|cloudflare",
    r"proofpoint|barracuda|mimecast|safelinks|urlscan|virustotal|zscaler|symantec|trendmicro",
    r"^mozilla/5\.0 (?:applewebkit|gecko|chrome|firefox)\b|microsoft (?:office|outlook)|outlook-express",
)
"""Parts of user agents (RE2, any case) of what is no person: addresses, and words for what robots do."""

ENGINES: Final = (
    r"applewebkit|khtml|gecko/|gecko firefox|trident/|msie[ /]|presto/|goanna/|opera[ /]|chrome/|firefox/",
    r"netfront|ucweb|ucbrowser|midp|blackberry|up\.browser|obigo|konqueror/|icab|lynx/|links \(|w3m/",
)
"""One of these is in every browser's agent."""

PEOPLE: Final = (
    r"\bcubot(?:\b|_)[^;)/]*|\bhtc[ _]butterfly\w*|viewsonic\w*|fever_plus|\bbuild/[\w.]+",
    r"android \d[\d.]*; (?:[\w.+-]+ ){0,3}(?:bot|spider)\b[\w .+-]*(?: build/[^;)]*)?[;)]",
    r"duckduckgo/\d|ddg/\d|baiduboxapp|baidubrowser|bidubrowser|baiduhd|sogoumse|sogoumobilebrowser|metasr",
    r"\bsnapchat[ /]?\d|\bviber/\d|\bblackboard/\d|firephp/\d|\[pinterest/|esobisubscriber|ecosia \w+@[\d.]+",
    r"\bfb(?:cr|pn|dv)/[^;\]]*",
)
"""What telephones, and the browsers inside of applications, have in their agents, although robots have the like."""

_FORMER: Final = r"msie|konqueror|icab|netfront|webpositive|abrowse|ibrowse|aweb"


def _compile(pattern: str) -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = 32 << 20  # states are made as they are met; too small a cache would make them again and again
    options.never_capture = True
    options.log_errors = False
    return re2.compile(pattern.encode("latin-1"), options)


def _known() -> str:
    entries = json.loads((files("crawleruseragents") / "crawler-user-agents.json").read_bytes())
    return "|".join(entry["pattern"] for entry in entries)


_ROBOT = _compile(f"{_known()}|(?i:{'|'.join(SIGNS)})")
_PEOPLE = _compile(f"(?i:{'|'.join(PEOPLE)})")
_ENGINE = _compile(f"(?i:{'|'.join(ENGINES)})")
_FORMER_BROWSER = _compile(f"(?i:{_FORMER})")


@lru_cache(maxsize=REMEMBERED)
def is_robot(user_agent: str) -> bool:
    """Whether a user agent names something that is no person."""
    agent = user_agent.encode("latin-1", "replace")
    if not agent or agent.isspace() or len(agent) > MAX_AGENT:
        return True
    if _ROBOT.search(agent) and _ROBOT.search(_PEOPLE.sub(b" ", agent)):
        return True
    if not (b"AppleWebKit/" in agent or b"Gecko/" in agent or _ENGINE.search(agent)):
        return True
    return b"compatible;" in agent and not _FORMER_BROWSER.search(agent)
