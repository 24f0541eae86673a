"""Programmes as they are answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, get_args

from pydantic import ConfigDict, Field, model_validator

from chassis.rules import broken
from chassis.text import Prose, Title
from chassis.web.json_bodies import Body
from services.program.domain.guidelines import MAX_QUESTIONS, MAX_RULES, Rule, Rules
from services.program.domain.people import Person, Status
from services.program.domain.programs import Text, TextKind
from services.program.domain.quizzes import Judged
from services.program.schemas.fields import AT, PROGRAM_ID, Country, Line, Locale, Texts, TimeZone, View
from services.program.schemas.people import KnownView
from services.program.schemas.quizzes import (
    CHOSEN,
    QUESTION,
    Chosen,
    JudgedView,
    QuestionBody,
    QuestionView,
    QuizQuestionView,
    judged_views,
    questions_of,
)


class ProgramView(View):
    """A programme."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": PROGRAM_ID,
                    "version": 3,
                    "name": "Voices",
                    "time_zone": "Europe/Paris",
                    "languages": ["fr", "en"],
                    "open": False,
                    "consent_version": 1,
                    "guidelines_version": 2,
                    "material_version": 2,
                    "colour": "#b0413e",
                    "text_colour": "#ffffff",
                    "picture_id": None,
                    "posts_hoped": 2,
                    "archived_at": None,
                    "created_at": AT,
                    "updated_at": AT,
                }
            ]
        },
        from_attributes=True,
    )

    id: str
    version: int = Field(description="Rises with each change; the ETag")
    name: str
    time_zone: str
    languages: list[str]
    open: bool = Field(description="True if anybody of the company may join without an invitation")
    consent_version: int
    guidelines_version: int = Field(description="The version in force; 0 for none")
    material_version: int = Field(description="The latest version that must be acknowledged; 0 for none")
    colour: str | None = Field(description="`#rrggbb`, seen on a light and on a dark page; null for none of its own")
    text_colour: str | None = Field(description="Of text on it")
    picture_id: str | None = Field(description="Its mark (`GET /pictures/{picture_id}`); null for none")
    posts_hoped: int | None = Field(description="Posts a month that it hopes for from each leader; null for none said")
    archived_at: datetime | None = Field(description="Since when it is over; null while it runs")
    created_at: datetime
    updated_at: datetime


class ProgramsView(View):
    """A page of programmes, oldest first."""

    items: list[ProgramView]
    next: str | None


class TextView(View):
    """The consent or the guidelines in one language."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "program_id": PROGRAM_ID,
                    "kind": "guidelines",
                    "version": 2,
                    "material": True,
                    "language": "en",
                    "languages": ["fr", "en"],
                    "text": "## Speak for yourself\n\nIn your own words.",
                    "published_at": AT,
                }
            ]
        }
    )

    program_id: str
    kind: TextKind
    version: int
    material: bool = Field(description="True if it must be acknowledged (guidelines) or accepted (consent) anew")
    language: str
    languages: list[str]
    text: str = Field(description="Markdown")
    published_at: datetime

    @classmethod
    def of(cls, text: Text, language: str) -> TextView:
        values = {name: getattr(text, name) for name in cls.model_fields if hasattr(text, name)}
        return cls(**{**values, "language": language, "languages": list(text.texts), "text": text.texts[language]})


class GuidelineRuleView(View):
    """One thing to do or not to do."""

    text: str
    example: str = Field(description="How a post says it; empty for none")


_RULES: Final[dict[str, Any]] = {
    "dos": [{"text": "Say what you saw yourself", "example": "I was on site in Lyon when the pump started."}],
    "donts": [{"text": "Name no customer without asking", "example": ""}],
}


class GuidelinesView(TextView):
    """The guidelines in one language."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "program_id": PROGRAM_ID,
                    "kind": "guidelines",
                    "version": 2,
                    "material": True,
                    "language": "en",
                    "languages": ["fr", "en"],
                    "text": "## Speak for yourself\n\nIn your own words.",
                    "published_at": AT,
                    **_RULES,
                    "questions": [{"text": "Who posts?", "choices": ["Herald", "You"], "several": False}],
                }
            ]
        }
    )

    dos: list[GuidelineRuleView]
    donts: list[GuidelineRuleView]
    questions: list[QuizQuestionView] = Field(description="The quiz to pass before they are acknowledged; often none")

    @classmethod
    def of(cls, text: Text, language: str) -> GuidelinesView:
        rules = text.rules.get(language, Rules())
        return cls(
            **TextView.of(text, language).model_dump(),
            dos=[GuidelineRuleView.model_validate(one) for one in rules.dos],
            donts=[GuidelineRuleView.model_validate(one) for one in rules.donts],
            questions=[QuizQuestionView.of(one) for one in text.quiz.get(language, ())],
        )


class GuidelineRulesView(View):
    """What to do and what not to do, in one language."""

    dos: list[GuidelineRuleView]
    donts: list[GuidelineRuleView]


class WrittenGuidelinesView(View):
    """The guidelines in force in all languages, as they are written."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "program_id": PROGRAM_ID,
                    "version": 2,
                    "material": True,
                    "texts": {"en": "## Speak for yourself"},
                    "rules": {"en": _RULES},
                    "quiz": {"en": [QUESTION]},
                    "published_at": AT,
                }
            ]
        },
        from_attributes=True,
    )

    program_id: str
    version: int
    material: bool
    texts: dict[str, str]
    rules: dict[str, GuidelineRulesView]
    quiz: dict[str, list[QuestionView]]
    published_at: datetime


class QuizAnswers(Body):
    """What somebody answered to the quiz of guidelines."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"language": "en", "answers": [[1]]}]})

    language: Locale = Field(description="The language in which they were read")
    answers: Chosen = Field([], max_length=MAX_QUESTIONS, description=CHOSEN)


class QuizView(View):
    """What came of answers."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"passed": True, "questions": [{"right": True, "explanation": "The last tap is yours."}]}]
        }
    )

    passed: bool = Field(description="Whether all answers are right, and the guidelines acknowledged")
    questions: list[JudgedView]

    @classmethod
    def of(cls, judged: Judged) -> QuizView:
        return cls(passed=judged.passed, questions=judged_views(judged))


class InvitedView(View):
    """What came of an invitation."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "invited": 300,
                    "skipped": {"already_joined": 4, "declined": 1},
                    "remaining": 0,
                    "batch_id": "019c46c7-6a80-7a6a-8d23-f082128b2f35",
                    "people": [],
                }
            ]
        },
        from_attributes=True,
    )

    invited: int
    skipped: dict[str, int] = Field(
        description="How many were left out, by reason: already_invited, already_joined, applied, "
        "declined, rejected, left, inactive, unknown"
    )
    remaining: int = Field(description="How many of the segment could still be invited")
    batch_id: str | None = Field(None, description="By this they are withdrawn together; null where nobody was invited")
    people: list[KnownView] = Field([], description="The first of them, by name")


class WithdrawnView(View):
    """What came of taking invitations back."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"withdrawn": 299, "answered": 1}]}, from_attributes=True)

    withdrawn: int
    answered: int = Field(description="How many were accepted or declined before, and stay so")


class Audience(Body):
    """For whom something is meant."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"countries": ["FR"], "teams": ["Sales"], "sites": ["Lyon"]}]}
    )

    countries: Annotated[list[Country], Field(max_length=300)] = Field([])
    teams: Annotated[list[Line], Field(max_length=1000)] = Field([])
    sites: Annotated[list[Line], Field(max_length=1000)] = Field([])


class AudienceView(View):
    """How many would see what is published for a group."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ambassadors": 43}]})

    ambassadors: int


class AmbassadorView(KnownView):
    """Somebody in a programme."""

    person_id: str
    status: Status
    since: datetime

    @classmethod
    def of(cls, person: Person, program_id: str) -> AmbassadorView:
        membership = person.in_program(program_id)
        return cls(
            person_id=person.id,
            name=person.name,
            team=person.team,
            country=person.country,
            leader=person.leader,
            site=person.site,
            email=person.email,
            status=membership.status,
            since=membership.since,
        )


class AmbassadorsView(View):
    """How many people have each status in a programme, and a page of them."""

    counts: dict[Status, int]
    items: list[AmbassadorView]
    next: str | None
    total: int = Field(description="How many there are on all pages; 10,000 stands for that many and more")

    @classmethod
    def of(
        cls, program_id: str, counts: Mapping[Status, int], people: list[Person], following: str | None, total: int
    ) -> AmbassadorsView:
        whole: dict[Status, int] = dict.fromkeys(get_args(Status), 0)
        items = [AmbassadorView.of(person, program_id) for person in people]
        return cls(counts={**whole, **counts}, items=items, next=following, total=total)


MAX_INVITED = 5_000


class NewProgram(Body):
    """A new programme."""

    name: Line = Field(examples=["Voices"])
    time_zone: TimeZone = Field(description="IANA name: days and weeks of the figures are this zone's")
    languages: Annotated[list[Locale], Field(min_length=1, max_length=20, examples=[["fr", "en"]])]
    consent: Texts
    open: bool = Field(False, description="True to let anybody of the company join without an invitation")

    @model_validator(mode="after")
    def _each_once(self) -> NewProgram:
        if len(set(self.languages)) != len(self.languages):
            raise broken("duplicate", "A language is named twice.")
        return self


class ProgramChange(Body):
    """A change of a programme; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Voices", "colour": "#b0413e"}]})

    open: bool | None = Field(None, description="True to let anybody of the company join without an invitation")
    name: Line | None = None
    colour: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] | None = Field(
        None, description="`#rrggbb`; refused where it can hardly be seen on a light or on a dark page. Null for none"
    )
    picture_id: Annotated[str, Field(min_length=1, max_length=128)] | None = Field(
        None, description="Its mark: a picture that was sent (`POST /pictures`). Null for none"
    )
    posts_hoped: Annotated[int, Field(ge=1, le=31)] | None = Field(
        None, description="Posts a month that the programme hopes for from each leader. Null to say none"
    )

    def values(self) -> dict[str, Any]:
        """What was sent. A colour, a picture and a hope are taken away by null; nothing else can be."""
        sent = {name: getattr(self, name) for name in self.model_fields_set}
        if isinstance(sent.get("colour"), str):
            sent["colour"] = sent["colour"].lower()
        nullable = ("colour", "picture_id", "posts_hoped")
        return {name: value for name, value in sent.items() if name in nullable or value is not None}


class NewConsent(Body):
    """The next version of the consent: whoever joins accepts this one."""

    texts: Texts


class GuidelineRuleBody(Body):
    """One thing to do or not to do."""

    text: Annotated[str, Title(200)]
    example: Annotated[str, Prose(500)] = Field("", description="How a post says it")


class GuidelineRulesBody(Body):
    """What to do and what not to do, in one language."""

    dos: list[GuidelineRuleBody] = Field([], max_length=MAX_RULES)
    donts: list[GuidelineRuleBody] = Field([], max_length=MAX_RULES)


class NewGuidelines(Body):
    """The next version of the guidelines."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "texts": {"en": "## Speak for yourself"},
                    "rules": {"en": _RULES},
                    "quiz": {"en": [QUESTION]},
                    "material": True,
                }
            ]
        }
    )

    texts: Texts
    rules: dict[Locale, GuidelineRulesBody] = Field(
        {}, max_length=20, description="Short rules with examples: in each language of the programme, or in none"
    )
    quiz: dict[Locale, Annotated[list[QuestionBody], Field(min_length=1, max_length=MAX_QUESTIONS)]] = Field(
        {}, max_length=20, description="As many questions in each language of the programme, or none in any"
    )
    material: bool = Field(True, description="True if ambassadors must acknowledge it before their next share")

    def values(self) -> dict[str, Any]:
        """What the command takes."""
        return {
            "texts": self.texts,
            "material": self.material,
            "rules": {
                language: Rules(_rules(one.dos), _rules(one.donts))
                for language, one in self.rules.items()
                if one.dos or one.donts
            },
            "quiz": {language: questions_of(one) for language, one in self.quiz.items()},
        }


def _rules(bodies: list[GuidelineRuleBody]) -> tuple[Rule, ...]:
    return tuple(Rule(one.text, one.example) for one in bodies)


class SegmentOrder(Body):
    """People by attributes, of which an empty list names none; or `everybody`, said in so many words."""

    countries: Annotated[list[Country], Field(max_length=300)] = Field([])
    teams: Annotated[list[Line], Field(max_length=1000)] = Field([])
    sites: Annotated[list[Line], Field(max_length=1000)] = Field([])
    jobs: Annotated[list[Line], Field(max_length=1000)] = Field([], description="What people do")
    levels: Annotated[list[Line], Field(max_length=1000)] = Field([])
    leaders_only: bool = False
    everybody: bool = False

    @model_validator(mode="after")
    def _somebody(self) -> SegmentOrder:
        if self.everybody == any((self.countries, self.teams, self.sites, self.jobs, self.levels, self.leaders_only)):
            raise broken("empty-segment", "Name countries, teams, sites, jobs, levels or leaders, or else `everybody`.")
        return self


class Invitations(Body):
    """Whom to invite: persons by id, or a segment."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"people": ["019c46c7-6a80-7a6a-8d23-f082128b2f33"]},
                {"segment": {"countries": ["FR"], "teams": [], "leaders_only": True}, "limit": 50},
            ]
        }
    )

    people: (
        Annotated[list[Annotated[str, Field(max_length=128)]], Field(min_length=1, max_length=MAX_INVITED)] | None
    ) = None
    segment: SegmentOrder | None = None
    limit: int = Field(500, ge=1, le=MAX_INVITED, description="How many of a segment are invited at most")
    dry_run: bool = Field(False, description="True to be told whom this would invite, and to invite nobody")

    @model_validator(mode="after")
    def _either(self) -> Invitations:
        if (self.people is None) == (self.segment is None):
            raise broken("people-or-segment", "Name either people or a segment.")
        return self
