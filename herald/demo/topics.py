"""The events of one programme, read from offset 0 by a consumer that knows the contracts only."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from chassis.kafka.topic_reader import read_topic
from herald_contracts import (
    ActRecorded,
    AmbassadorInvited,
    AmbassadorJoined,
    CloudEvent,
    CohortJoined,
    ContentPublished,
    ContentRetired,
    ContentSubmitted,
    EngagementRecorded,
    Event,
    GuidelineAcknowledged,
    LessonCompleted,
    LessonPublished,
    LinkClicked,
    NewsletterSent,
    ObjectiveSet,
    PersonProvisioned,
    PointsAwarded,
    PostRemoved,
    PostShared,
    SurveyClosed,
    WaveDecided,
    decode,
)

TOPICS = (
    "herald.people",
    "herald.program",
    "herald.content",
    "herald.acts",
    "herald.posts",
    "herald.clicks",
    "herald.engagements",
    "herald.recognition",
)


@dataclass(slots=True)
class TopicView:
    """The events of a programme, each id once however often it was delivered."""

    program_id: str
    people: set[str] = field(default_factory=set)
    invited: set[str] = field(default_factory=set)
    joined: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    submitted: set[str] = field(default_factory=set)
    published: set[str] = field(default_factory=set)
    posts: dict[str, PostShared] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    raw_clicks: Counter[str] = field(default_factory=Counter)
    clicks: Counter[str] = field(default_factory=Counter)
    counted_by_network: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)
    retired: set[str] = field(default_factory=set)
    past_members: set[str] = field(default_factory=set)
    past_items: set[str] = field(default_factory=set)
    past_posts: dict[str, PostShared] = field(default_factory=dict)
    past_engagement: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By kind and network."""
    past_clicks: list[tuple[datetime, int]] = field(default_factory=list)
    objectives: set[str] = field(default_factory=set)
    lessons: set[str] = field(default_factory=set)
    learned: set[str] = field(default_factory=set)
    cohort: set[str] = field(default_factory=set)
    decisions: list[str] = field(default_factory=list)
    surveys: list[SurveyClosed] = field(default_factory=list)
    other_acts: Counter[str] = field(default_factory=Counter)
    newsletters: list[NewsletterSent] = field(default_factory=list)
    duplicates: int = 0
    _seen: set[str] = field(default_factory=set)

    @classmethod
    async def read(cls, bootstrap: str, program_id: str) -> TopicView:
        """Everything that is on the topics now."""
        view = cls(program_id)
        for topic in TOPICS:
            async for record in read_topic({"bootstrap_servers": bootstrap}, topic):
                view._take(decode(record.headers, record.value))
        return view

    def _take(self, event: CloudEvent[Event]) -> None:
        if event.id in self._seen:
            self.duplicates += 1
            return
        self._seen.add(event.id)
        data = event.data
        if isinstance(data, PersonProvisioned):
            self.people.add(data.person_id)
        elif isinstance(data, LinkClicked):
            self.raw_clicks[data.link_code] += 1
        elif getattr(data, "program_id", None) == self.program_id:
            self._take_of_program(data)

    def _take_of_program(self, data: Event) -> None:  # noqa: C901 - one line an event type
        match data:
            case AmbassadorInvited():
                self.invited.add(data.person_id)
            case AmbassadorJoined(origin="imported"):
                self.past_members.add(data.person_id)
            case PostShared(method="imported"):
                self.past_posts[data.post_id] = data
            case EngagementRecorded(measure="imported"):
                self.past_engagement[data.kind, data.network] += data.quantity
                if data.kind == "click":
                    self.past_clicks.append((data.occurred_at, data.quantity))
            case ContentRetired():
                self.retired.add(data.content_id)
            case AmbassadorJoined():
                self.joined.add(data.person_id)
            case GuidelineAcknowledged():
                self.acknowledged.add(data.person_id)
            case ContentSubmitted():
                self.submitted.add(data.content_id)
            case ContentPublished():
                self.published.add(data.content_id)
                if data.origin == "imported":
                    self.past_items.add(data.content_id)
            case PostShared():
                self.posts[data.post_id] = data
            case PostRemoved():
                self.removed.add(data.post_id)
            case EngagementRecorded(kind="click"):
                self.clicks[data.verdict] += data.quantity
                if data.verdict == "counted":
                    self.counted_by_network[data.network] += data.quantity
            case PointsAwarded():
                self.points[data.ambassador_id] += data.points
            case _:
                self._take_of_steps(data)

    def _take_of_steps(self, data: Event) -> None:
        match data:
            case ObjectiveSet():
                self.objectives.add(data.objective_id)
            case LessonPublished():
                self.lessons.add(data.lesson_id)
            case LessonCompleted():
                self.learned.add(data.person_id)
            case CohortJoined():
                self.cohort.add(data.person_id)
            case WaveDecided():
                self.decisions.append(data.decision)
            case SurveyClosed():
                self.surveys.append(data)
            case ActRecorded():
                self.other_acts[data.act] += 1
            case NewsletterSent():
                self.newsletters.append(data)

    def brought_before(self, *kinds: str) -> int:
        """How many of these kinds the history has."""
        return sum(number for (kind, _), number in self.past_engagement.items() if kind in kinds)

    @property
    def kept(self) -> list[PostShared]:
        return [post for id, post in self.posts.items() if id not in self.removed]

    @property
    def kept_codes(self) -> set[str]:
        return {post.link_code for post in self.kept}

    @property
    def raw_clicks_of_program(self) -> int:
        codes = {post.link_code for post in self.posts.values()}
        return sum(count for code, count in self.raw_clicks.items() if code in codes)
