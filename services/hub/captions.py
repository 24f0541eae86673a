"""Captions as they stand in the share sheet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from services.hub.language import Language

_NOT_WORDS = re.compile(r"(?:https?://|www\.)\S+|[#@][\w-]+")


def has_words(caption: str) -> bool:
    """Whether anything is said besides hashtags, mentions and addresses."""
    return any(sign.isalnum() for sign in _NOT_WORDS.sub(" ", caption))


def with_suggestion(check: Mapping[str, Any], finding: Mapping[str, Any]) -> str:
    """The caption that was checked, with a finding's suggestion in the place of what it found."""
    draft = str(check.get("draft") or "")
    start, end = max(0, finding["start"]), max(0, finding["end"])
    return draft[:start] + str(finding["suggestion"] or "") + draft[end:]


def in_its_language(language: Language, finding: Mapping[str, Any], spoken: str) -> dict[str, Any]:
    """A finding whose words are marked as being in another language than the page's: those of the caption, which is
    `spoken`, and those of the phrase and its suggestion, in the phrase's own."""
    own = finding.get("language") or spoken
    codes = {"excerpt": spoken, "phrase": own}
    params = finding.get("params") or {}
    marked = {name: language.marked(params[name], code) for name, code in codes.items() if name in params}
    return {**finding, "params": {**params, **marked}, "language": own}


def without_link(post: Mapping[str, Any]) -> str:
    """The text of a post without the short link on its last line: for a share menu, which is given both apart."""
    return str(post["caption"]).removesuffix(str(post["short_url"])).rstrip()
