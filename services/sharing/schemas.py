"""What the HTTP interface takes and gives."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from chassis.rules import broken
from chassis.text import Line, Prose, Title
from chassis.web.http import Total
from chassis.web.json_bodies import Body
from chassis.web.one_of import OneOf
from chassis.web.times import Moment
from herald_contracts.base import Country, Id, Language
from herald_contracts.words import MEASURES
from herald_contracts.words import Network as NetworkId
from services.sharing.context import Context
from services.sharing.domain import guardrails as rules
from services.sharing.domain.phrases import folded_length
from services.sharing.domain.posts import Post, ShareOrder
from services.sharing.networks import NETWORKS, Dialog, Network

LONGEST_CAPTION = max(network.max_length for network in NETWORKS.values())
LONGEST_FOLDED = 2 * LONGEST_CAPTION
CONTENT = "019a2b7e-4d31-7c52-9f0e-2b8a6f1d3c47"
PROGRAM = "019a2b70-11aa-7e0b-8c4d-9d2e5f6a7b80"
POST = "019a2b81-0c5f-7d1e-a6b3-4e5f6a7b8c9d"
CAPTION = "We opened our first battery plant. Proud of the team!"


class View(BaseModel):
    """An answer."""

    model_config = ConfigDict(frozen=True)


class NetworkView(View):
    """A network one can share to."""

    id: NetworkId
    label: str
    max_length: int = Field(description="In the unit in which the network counts; see `length` of a checked draft")
    dialog: Dialog = Field(description="What opens: a page of the network, the mail program, or the share sheet")
    prefills: bool = Field(description="False where the dialog does not take the caption, so the person pastes it")

    @classmethod
    def of(cls, network: Network) -> Self:
        return cls(
            id=network.id,
            label=network.label,
            max_length=network.max_length,
            dialog=network.dialog,
            prefills=network.prefills,
        )


def _compact(caption: str) -> str:
    if folded_length(caption) > LONGEST_FOLDED:
        detail = f"At most {LONGEST_FOLDED} letters, with ligatures and composed signs written out."
        raise broken("too-long", detail, max=LONGEST_FOLDED)
    return caption


class ShareRequest(Body):
    """What to share, where, and in which words."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "content_id": CONTENT,
                    "network": "linkedin",
                    "language": "en",
                    "caption": CAPTION,
                    "caption_id": "c1",
                }
            ]
        }
    )

    content_id: Id
    network: Annotated[str, OneOf(tuple(NETWORKS))]
    language: Language = Field(description="Of the caption")
    caption: Annotated[str, Prose(LONGEST_CAPTION), AfterValidator(_compact)]
    caption_id: Id | None = Field(None, description="The suggestion that it came from, edited or not")

    def order(self) -> ShareOrder:
        return ShareOrder(**self.model_dump())


class FindingView(View):
    """A rule and where it applies. Putting `suggestion` in the place of the excerpt mends it."""

    rule: Literal["forbidden-phrase", "discouraged-phrase", "too-long", "email-address", "phone-number"]
    severity: Literal["block", "warn"]
    field: str = Field(examples=["caption"])
    excerpt: str
    start: int = Field(description="Position in `draft`, in Unicode characters")
    end: int = Field(description="Position after the last character")
    detail: str = Field(description="In English; the rule and its `params` say it in any language")
    suggestion: str | None = Field(description="What to put there instead; empty to leave it out")
    params: dict[str, str | int] = Field(description="Of the rule, such as the `phrase` of `forbidden-phrase`")
    language: str | None = Field(None, description="Of the phrase and the suggestion; null for that of the caption")


class DraftView(View):
    """What the guardrails say of a caption."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "verdict": "blocked",
                    "draft": "We have guaranteed returns.",
                    "caption": "We have guaranteed returns.\n\n#IWorkHere",
                    "link": "https://herald.example/l/00000000",
                    "findings": [
                        {
                            "rule": "forbidden-phrase",
                            "severity": "block",
                            "field": "caption",
                            "excerpt": "guaranteed returns",
                            "start": 8,
                            "end": 26,
                            "detail": "“guaranteed returns” cannot be shared: the programme rules out it.",
                            "suggestion": "expected results",
                            "params": {"excerpt": "guaranteed returns", "phrase": "guaranteed returns"},
                        }
                    ],
                    "length": 74,
                    "max_length": 3000,
                }
            ]
        }
    )

    verdict: Literal["ok", "blocked"]
    draft: str = Field(description="The caption that was sent, without invisible letters and doubled spaces")
    caption: str = Field(description="With the disclosure added; the short link comes with the share")
    link: str = Field(description="A short link as it will be, of the same length: the last line of what is posted")
    findings: list[FindingView]
    length: int = Field(description="As the network counts it, with disclosure and short link")
    max_length: int

    @classmethod
    def of(cls, verdict: rules.Verdict, draft: str, link: str) -> Self:
        return cls(
            verdict="blocked" if verdict.blocked else "ok",
            draft=draft,
            caption=verdict.caption,
            link=link,
            findings=[FindingView.model_validate(one, from_attributes=True) for one in verdict.findings],
            length=verdict.length,
            max_length=verdict.max_length,
        )


class ClicksView(View):
    """Clicks on the short link: all of them, those that count, and all by verdict."""

    raw: int
    counted: int
    by_verdict: dict[str, int]


class PostView(View):
    """A share."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": POST,
                    "program_id": PROGRAM,
                    "content_id": CONTENT,
                    "title": "Our first battery plant",
                    "network": "linkedin",
                    "language": "en",
                    "caption": CAPTION + "\n\n#IWorkHere\nhttps://herald.example/l/Ab3dE6gH",
                    "short_url": "https://herald.example/l/Ab3dE6gH",
                    "dialog_url": "https://www.linkedin.com/feed/?shareActive=true&text=We%20opened",
                    "link_code": "Ab3dE6gH",
                    "shared_at": "2026-11-23T09:30:00Z",
                    "imported": False,
                    "removed_at": None,
                    "restorable_until": None,
                    "clicks": {"raw": 12, "counted": 7, "by_verdict": {"counted": 7, "bot": 4, "repeat": 1}},
                    "engagements": {"like": 3},
                }
            ]
        }
    )

    id: str
    program_id: str
    content_id: str
    title: str
    network: NetworkId
    language: str
    caption: str = Field(description="The whole text, with disclosure and short link")
    short_url: str
    dialog_url: str | None = Field(description="Opens the network's dialog; null where it has none")
    link_code: str
    shared_at: datetime
    imported: bool = Field(description="True if it was made with another product, before Herald")
    removed_at: datetime | None
    restorable_until: datetime | None = Field(description="Taken back; `restore` undoes it until then")
    clicks: ClicksView
    engagements: dict[str, int] = Field(description="By kind: like, comment, repost, impression")

    @classmethod
    def of(cls, post: Post, context: Context) -> Self:
        link = context.short_url(post.link_code)
        clicks = ClicksView(raw=post.clicks_raw, counted=post.clicks_counted, by_verdict=dict(post.clicks))
        return cls(
            id=post.id,
            program_id=post.program_id,
            content_id=post.content_id,
            title=post.title,
            network=post.network,
            language=post.language,
            caption=post.caption,
            short_url=link,
            dialog_url=_dialog_url(post, link),
            link_code=post.link_code,
            shared_at=post.shared_at,
            imported=post.method == "imported",
            removed_at=post.removed_at,
            restorable_until=post.restorable_until,
            clicks=clicks,
            engagements=dict(post.engagements),
        )


def _dialog_url(post: Post, link: str) -> str | None:
    """Where to post it; nowhere what was posted with another product, perhaps on a network that is not known here."""
    network = NETWORKS.get(post.network) if post.method != "imported" else None
    return network.dialog_url(post.caption, link, post.title) if network else None


class PostsView(View):
    """A page of posts."""

    items: list[PostView]
    next: str | None = Field(description="The cursor of the next page")
    total: Total


class PostIds(Body):
    """Posts by their ids."""

    ids: Annotated[list[Annotated[str, Field(max_length=128)]], Field(max_length=200, examples=[[POST]])]


class TitleView(View):
    """The item that was shared, as it was called then."""

    content_id: str
    title: str
    language: str = Field(description="Of the caption; the title's nearest to it")


class TitlesView(View):
    """By the id of the post."""

    titles: dict[str, TitleView]


class SharedItemView(View):
    """An item that the caller shared."""

    content_id: str
    networks: list[NetworkId]


class SharedItemsView(View):
    """Of the items asked for those that the caller shared and did not take back."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [{"content_id": CONTENT, "networks": ["linkedin"]}]}]}
    )

    items: list[SharedItemView]

    @classmethod
    def of(cls, networks: Mapping[str, Set[str]]) -> Self:
        found = sorted(networks.items())
        return cls(items=[SharedItemView(content_id=id, networks=sorted(names)) for id, names in found])


class NetworksView(View):
    """The networks, in the order in which they are offered."""

    items: list[NetworkView]
    next: str | None = None


class PhraseBody(Body):
    """A phrase that blocks a share, or that is discouraged."""

    phrase: Annotated[str, Title(200)]
    severity: Literal["block", "warn"] = "block"
    language: Language | None = Field(None, description="How it is inflected; null: as the caption's language is")
    suggestion: Annotated[str, Line(200)] | None = Field(None, description="What to write instead")


Disclosure = Annotated[str, Title(80)]


class GuardrailsBody(Body):
    """A programme's rules for captions."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "disclosures": {"*": {"en": "#IWorkHere", "fr": "#JyTravaille"}, "DE": {"de": "#Werbung"}},
                    "forbidden": [
                        {
                            "phrase": "guaranteed returns",
                            "severity": "block",
                            "language": "en",
                            "suggestion": "expected results",
                        }
                    ],
                }
            ]
        }
    )

    disclosures: Annotated[
        dict[Country | Literal["*"], Annotated[dict[Language, Disclosure], Field(min_length=1, max_length=50)]],
        Field(max_length=260, description="By country (`*`: all others), then by language"),
    ]
    forbidden: Annotated[list[PhraseBody], Field(max_length=500)]

    def phrases(self) -> list[rules.ForbiddenPhrase]:
        return [rules.ForbiddenPhrase(**one.model_dump()) for one in self.forbidden]


class GuardrailsView(View):
    """A programme's rules for captions, in their present version."""

    program_id: str
    version: int
    disclosures: Mapping[str, Mapping[str, str]]
    forbidden: list[PhraseBody]

    @classmethod
    def of(cls, guardrails: rules.Guardrails) -> Self:
        return cls(
            program_id=guardrails.program_id,
            version=guardrails.version,
            disclosures=guardrails.disclosures,
            forbidden=[PhraseBody.model_validate(one, from_attributes=True) for one in guardrails.forbidden],
        )


class ReportBody(Body):
    """What another system counted of a post since its last report. It happened after the post, at most 90 days ago."""

    post_id: Id
    kind: Annotated[str, OneOf(("like", "comment", "repost", "impression"))]
    quantity: Annotated[int, Field(ge=1, le=1_000_000)]
    measure: Annotated[str, OneOf(MEASURES)] = "measured"
    occurred_at: Moment
    external_id: Annotated[str, Field(min_length=1, max_length=200, description="The same report again: no effect")]


class ReportsBody(Body):
    """Up to 500 reports, taken all or not at all."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {
                            "post_id": POST,
                            "kind": "like",
                            "quantity": 3,
                            "measure": "measured",
                            "occurred_at": "2026-11-23T10:00:00Z",
                            "external_id": "linkedin-7124-2026-11-23T10",
                        }
                    ]
                }
            ]
        }
    )

    items: Annotated[list[ReportBody], Field(min_length=1, max_length=500)]


class ReportsView(View):
    """How many reports were new, and how many had come before."""

    accepted: int
    repeated: int
