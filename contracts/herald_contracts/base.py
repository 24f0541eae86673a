"""What every event has in common: where it travels, who owns it, and how its data is read."""

from __future__ import annotations

import builtins
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def in_utc(value: datetime) -> datetime:
    """The same instant in UTC. Raises ValueError where there is no offset, or no such instant in UTC."""
    if value.tzinfo is None:
        raise ValueError("a time needs its UTC offset")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time outside of the years 1 to 9999 in UTC") from None


Id = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._:@-]+$")]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35, description="BCP 47")]
Time = Annotated[datetime, AfterValidator(in_utc), Field(description="RFC 3339, with offset")]
Label = Annotated[str, Field(min_length=1, max_length=200)]


class Part(BaseModel):
    """A structured value inside an event. Unknown fields are ignored: a newer producer is understood."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Event(Part):
    """The data of one event type in one version.

    Subclasses declare, as class variables:

    - ``type``: the CloudEvents type, ``herald.<Event>.v<N>``; the only routing key.
    - ``topic``: the Kafka topic without an installation's prefix.
    - ``source``: ``/herald/<service>`` that emits it.
    - ``key``: the name of the field whose value is the Kafka key (and ``ce_partitionkey``).
    - ``subject``: the name of the field that holds the aggregate's id (``ce_subject``).
    - ``emitters``: the services that emit it, where several do, each on a topic of its own: ``topic`` and ``source``
      then hold ``{service}``, which stands for the event's field ``service``.
    """

    type: ClassVar[str]
    topic: ClassVar[str]
    source: ClassVar[str]
    key: ClassVar[str]
    subject: ClassVar[str]
    emitters: ClassVar[tuple[str, ...]] = ()

    registry: ClassVar[dict[str, builtins.type[Event]]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "type" in cls.__dict__:
            if cls.type in Event.registry:
                raise TypeError(f"two event classes declare {cls.type}")
            Event.registry[cls.type] = cls

    @classmethod
    def topics(cls) -> tuple[str, ...]:
        """The topics on which events of this type travel."""
        return tuple(cls.topic.format(service=one) for one in cls.emitters) or (cls.topic,)

    @property
    def own_topic(self) -> str:
        """The topic on which this event travels."""
        return self._of_emitter(self.topic)

    @property
    def own_source(self) -> str:
        """The `ce_source` of this event."""
        return self._of_emitter(self.source)

    def _of_emitter(self, text: str) -> str:
        return text.format(service=getattr(self, "service")) if self.emitters else text  # noqa: B009

    @property
    def partition_key(self) -> str:
        return str(getattr(self, self.key))

    @property
    def aggregate_id(self) -> str:
        return str(getattr(self, self.subject))

    @classmethod
    def from_json(cls, value: bytes | str) -> Self:
        """Read the record's value, without coercion: ``"5"`` is no number and ``1`` no truth value.

        Raises pydantic's ``ValidationError`` naming each wrong field.
        """
        found: Self = cls.__pydantic_validator__.validate_json(value, strict=True)
        return found
