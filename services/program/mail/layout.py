"""What a mail looks like: blocks as HTML by MJML, and the same words as plain text.

Links get UTM parameters and go where they say: nothing is rewritten, no picture is there to be counted. What differs
from reader to reader, the addresses of their unsubscribe page, is put in at the end (`Layout.for_reader`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from html import escape
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from mjml import mjml2html

from services.program.domain.newsletters import BlockText
from services.program.messages import message

_LINKED: Final = ("http://", "https://", "mailto:")
STOP: Final = "https://unsubscribe.invalid/"
"""Stands for the reader's unsubscribe page in what is the same for all."""
ACCENT: Final = "#4531c4"
_DARK: Final = "(prefers-color-scheme: dark)"
_STYLE: Final = """
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  body, .page, .page > table { background: #12101b !important; }
  .card, .card > table { background: #1e1b2b !important; }
  .ink, .ink div, .ink h1, .ink h2, .ink p, .ink li { color: #f2eff9 !important; }
  .soft, .soft div, .soft p { color: #b6b0c6 !important; }
  .ink a, .soft a { color: #b9adff !important; }
}
"""


@dataclass(frozen=True, slots=True)
class Look:
    """What of a programme is seen in its mails."""

    name: str
    colour: str
    text_colour: str


@dataclass(frozen=True, slots=True)
class Layout:
    """A mail in one language, the same for all its readers but for the place of the unsubscribe page."""

    language: str
    subject: str
    html: str
    text: str

    def for_reader(self, stop: str) -> tuple[str, str]:
        """HTML and plain text with the address of a reader's unsubscribe page."""
        return self.html.replace(STOP, escape(stop)), self.text.replace(STOP, stop)

    def dark(self) -> Layout:
        """As it looks on a dark theme, wherever it is shown."""
        return Layout(self.language, self.subject, self.html.replace(_DARK, "all"), self.text)


@dataclass(frozen=True, slots=True)
class Written:
    """What a mail says. `why` tells the reader why they get it, `archive` is where it is on the web."""

    language: str
    subject: str
    blocks: Sequence[BlockText]
    why: str
    campaign: str
    archive: str | None = None
    silenced_by_link: bool = True


def lay_out(written: Written, look: Look) -> Layout:
    """The mail as HTML with inline styles, and as plain text."""
    return Layout(written.language, written.subject, _html(written, look), _text(written, look))


def with_utm(link: str, campaign: str) -> str:
    """A web address that tells the site that it was followed from that mail; others as they are."""
    parts = urlsplit(link)
    if parts.scheme not in ("http", "https"):
        return link
    given = parse_qsl(parts.query, keep_blank_values=True)
    names = {name for name, _ in given}
    ours = {"utm_source": "herald", "utm_medium": "email", "utm_campaign": campaign}
    query = urlencode([*given, *((name, value) for name, value in ours.items() if name not in names)])
    return urlunsplit(parts._replace(query=query))


# --- HTML ---------------------------------------------------------------------------------------------------------


def _html(written: Written, look: Look) -> str:
    blocks = "".join(_block_html(one, written, look) for one in written.blocks)
    t = partial(_say, written.language)
    stop = (
        f'<a href="{STOP}" style="color:#5b5568">{escape(t("mail.unsubscribe"))}</a>'
        if written.silenced_by_link
        else ""
    )
    archive = (
        f'<a href="{escape(with_utm(written.archive, written.campaign))}" style="color:#5b5568">'
        f"{escape(t('mail.archive'))}</a>"
        if written.archive
        else ""
    )
    links = " · ".join(filter(None, (archive, stop)))
    source = f"""<mjml lang="{escape(written.language)}"><mj-head>
<mj-title>{escape(written.subject)}</mj-title><mj-preview>{escape(_preview(written))}</mj-preview>
<mj-attributes><mj-all font-family="Figtree, 'Helvetica Neue', Arial, sans-serif" /><mj-text font-size="16px"
 line-height="1.55" color="#1c1830" padding="6px 24px" /><mj-section padding="0" /></mj-attributes>
<mj-raw><meta name="color-scheme" content="light dark" /><meta name="supported-color-schemes" content="light dark" />
</mj-raw><mj-style>{_STYLE}</mj-style></mj-head>
<mj-body background-color="#f7f4ee" width="600px" css-class="page">
<mj-section background-color="{look.colour}"><mj-column><mj-text color="{look.text_colour}" font-size="15px"
 font-weight="700" padding="18px 24px">{escape(look.name)}</mj-text></mj-column></mj-section>
<mj-section background-color="#ffffff" css-class="card" padding="22px 0 6px"><mj-column><mj-text css-class="ink">
<h1 style="margin:0;font-size:26px;line-height:1.25">{escape(written.subject)}</h1></mj-text></mj-column></mj-section>
{blocks}
<mj-section padding="18px 0 28px"><mj-column><mj-text css-class="soft" font-size="13px" color="#5b5568">
<p style="margin:0 0 6px">{escape(written.why)}</p><p style="margin:0 0 6px">{links}</p>
<p style="margin:0">{escape(t("mail.no_tracking"))}</p></mj-text></mj-column></mj-section>
</mj-body></mjml>"""
    return _document(mjml2html(source), written.language)


def _document(html: str, language: str) -> str:
    """MJML leaves out the language where it does not know it."""
    return html if re.search(r"<html[^>]* lang=", html) else html.replace("<html", f'<html lang="{language}"', 1)


def _block_html(block: BlockText, written: Written, look: Look) -> str:
    parts = []
    if block.picture:
        parts.append(
            f'<mj-image src="{escape(block.picture)}" alt="{escape(block.picture_alt)}" padding="6px 24px"'
            ' border-radius="10px" />'
        )
    if block.title:
        parts.append(
            '<mj-text css-class="ink"><h2 style="margin:0;font-size:19px;line-height:1.3">'
            f"{escape(block.title)}</h2></mj-text>"
        )
    if block.text:
        body = _markdown().render(block.text, {"campaign": written.campaign})
        parts.append(f'<mj-text css-class="ink">{body}</mj-text>')
    if block.link:
        parts.append(
            f'<mj-button href="{escape(with_utm(block.link, written.campaign))}" background-color="{look.colour}"'
            f' color="{look.text_colour}" border-radius="10px" font-weight="700" align="left" padding="8px 24px"'
            f' inner-padding="12px 20px" font-size="16px">{escape(block.link_text or block.link)}</mj-button>'
        )
    return (
        '<mj-section background-color="#ffffff" css-class="card" padding="10px 0"><mj-column>'
        + "".join(parts)
        + "</mj-column></mj-section>"
    )


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    """CommonMark without raw HTML and pictures; every part has its style, for mail clients that know no sheet."""
    found = MarkdownIt("commonmark", {"html": False, "linkify": False, "xhtmlOut": True}).disable("image")
    found.validateLink = _is_linked  # type: ignore[method-assign]
    styles = {
        "paragraph_open": "margin:0 0 10px",
        "bullet_list_open": "margin:0 0 10px;padding-left:22px",
        "ordered_list_open": "margin:0 0 10px;padding-left:22px",
        "list_item_open": "margin:0 0 4px",
        "heading_open": "margin:12px 0 6px;font-size:17px;line-height:1.3",
        "blockquote_open": f"margin:0 0 10px;padding-left:12px;border-left:3px solid {ACCENT}",
    }
    for rule, style in styles.items():
        found.add_render_rule(rule, _styled(style))
    found.add_render_rule("link_open", _link)
    return found


def _styled(style: str) -> Any:
    def render(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, _: Any) -> str:
        tokens[index].attrSet("style", style)
        return self.renderToken(tokens, index, options, {})

    return render


def _link(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Mapping[str, Any]) -> str:
    token = tokens[index]
    token.attrSet("href", with_utm(str(token.attrGet("href") or ""), str(env.get("campaign", ""))))
    token.attrSet("style", f"color:{ACCENT}")
    return self.renderToken(tokens, index, options, {})


def _is_linked(url: str) -> bool:
    return url.strip().lower().startswith(_LINKED)


def _preview(written: Written) -> str:
    first = next((one for one in written.blocks if one.text or one.title), None)
    return plain(first.text or first.title).split("\n")[0][:120] if first else ""


# --- plain text ---------------------------------------------------------------------------------------------------


def _text(written: Written, look: Look) -> str:
    t = partial(_say, written.language)
    parts = [look.name, "", written.subject, "=" * len(written.subject), ""]
    for block in written.blocks:
        parts += _block_text(block, written.language, written.campaign)
    parts += ["-- ", written.why]
    if written.archive:
        parts.append(_line(written.language, t("mail.archive"), with_utm(written.archive, written.campaign)))
    if written.silenced_by_link:
        parts.append(_line(written.language, t("mail.unsubscribe"), STOP))
    return "\n".join([*parts, t("mail.no_tracking"), ""])


def _line(language: str, what: str, address: str) -> str:
    return message("mail.link", language, what=what, address=address)


def _block_text(block: BlockText, language: str, campaign: str) -> Iterator[str]:
    if block.title:
        yield block.title
        yield "-" * len(block.title)
    if block.picture:
        yield f"[{block.picture_alt}]"
    if block.text:
        yield plain(block.text, campaign)
    if block.link:
        yield _line(language, block.link_text or block.link, with_utm(block.link, campaign))
    yield ""


def plain(text: str, campaign: str = "") -> str:
    """Markdown as somebody would type it: a link is followed by its address, an entry of a list begins with a dash."""
    lines: list[str] = []
    depth, bullets = 0, [0]
    for token in MarkdownIt("commonmark", {"html": False}).disable("image").parse(text):
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                depth += 1
                bullets.append(0)
            case "bullet_list_close" | "ordered_list_close":
                depth -= 1
                bullets.pop()
            case "list_item_open":
                bullets[-1] = 1
            case "inline":
                mark = "  " * (depth - 1) + "- " if depth and bullets[-1] else "  " * depth
                bullets[-1] = 0
                lines.append(mark + _inline(token, campaign))
            case "paragraph_close" | "heading_close" if not depth:
                lines.append("")
            case "fence" | "code_block":
                lines += [token.content.rstrip(), ""]
    return "\n".join(lines).strip()


def _inline(token: Token, campaign: str) -> str:
    found, address = [], ""
    for child in token.children or ():
        match child.type:
            case "text" | "code_inline":
                found.append(child.content)
            case "softbreak" | "hardbreak":
                found.append("\n")
            case "link_open":
                address = str(child.attrGet("href") or "")
            case "link_close":
                if not "".join(found).endswith(address):
                    found.append(f" ({with_utm(address, campaign) if campaign else address})")
    return "".join(found)


def _say(language: str, key: str) -> str:
    return message(key, language)
