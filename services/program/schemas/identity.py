"""The visual identity of a programme as it is given and shown."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from chassis.text import Title, Words
from chassis.web.json_bodies import Body
from services.program.domain.identity import MAX_COLOURS, MAX_ELEMENTS, Colour, Element, ElementKind, Identity
from services.program.domain.looks import text_colour
from services.program.queries.identity import Shown
from services.program.schemas.fields import PROGRAM_ID, Locale, View
from services.program.schemas.pictures import PICTURE_ID

_COLOUR: Final[dict[str, Any]] = {"name": "Herald red", "value": "#b0413e"}
_ELEMENT: Final[dict[str, Any]] = {
    "picture_id": PICTURE_ID,
    "kind": "logo",
    "titles": {"fr": "Logo sur fond clair", "en": "Logo on light"},
    "notes": {"en": "Keep the height of the H free around it."},
}


class ColourBody(Body):
    """A colour of the company."""

    name: Annotated[str, Title(80)]
    value: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] = Field(description="`#rrggbb`")


class ElementBody(Body):
    """A picture to take, or one that shows what not to do."""

    picture_id: str = Field(min_length=1, max_length=128, description="Of `POST /v1/pictures`")
    kind: ElementKind
    titles: dict[Locale, Annotated[str, Title(120)]] = Field(
        min_length=1, max_length=20, description="What it shows, in each language of the programme"
    )
    notes: dict[Locale, Annotated[str, Words(500)]] = Field({}, max_length=20, description="How it is used")


class IdentityBody(Body):
    """The whole identity."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"colours": [_COLOUR], "elements": [_ELEMENT]}]})

    colours: list[ColourBody] = Field([], max_length=MAX_COLOURS)
    elements: list[ElementBody] = Field([], max_length=MAX_ELEMENTS)

    def parts(self) -> tuple[list[Colour], list[Element]]:
        """What the command takes."""
        return (
            [Colour(one.name, one.value.lower()) for one in self.colours],
            [Element(one.picture_id, one.kind, one.titles, one.notes) for one in self.elements],
        )


class ColourView(View):
    """A colour of the company."""

    name: str
    value: str
    text_colour: str = Field(description="Of text on it: white or black")


class ElementView(View):
    """A picture to take, or one that shows what not to do."""

    picture_id: str
    kind: ElementKind
    language: str
    title: str
    note: str
    titles: dict[str, str] = Field(description="In each language")
    notes: dict[str, str]
    media_type: str
    width: int
    height: int
    size: int = Field(description="Of the file, in bytes")

    @classmethod
    def of(cls, shown: Shown) -> ElementView:
        one, picture = shown.element, shown.picture
        return cls(
            picture_id=one.picture_id,
            kind=one.kind,
            language=shown.language,
            title=one.titles[shown.language],
            note=one.notes.get(shown.language, ""),
            titles=dict(one.titles),
            notes=dict(one.notes),
            media_type=picture.media_type,
            width=picture.width,
            height=picture.height,
            size=picture.size,
        )


class IdentityView(View):
    """The visual identity of a programme."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "program_id": PROGRAM_ID,
                    "version": 2,
                    "colours": [{**_COLOUR, "text_colour": "#ffffff"}],
                    "elements": [
                        {
                            **_ELEMENT,
                            "language": "en",
                            "title": "Logo on light",
                            "note": "Keep the height of the H free around it.",
                            "media_type": "image/png",
                            "width": 1200,
                            "height": 627,
                            "size": 48213,
                        }
                    ],
                }
            ]
        }
    )

    program_id: str
    version: int = Field(description="Rises with each change; the ETag")
    colours: list[ColourView]
    elements: list[ElementView]

    @classmethod
    def of(cls, identity: Identity, shown: list[Shown]) -> IdentityView:
        return cls(
            program_id=identity.id,
            version=identity.version,
            colours=[
                ColourView(name=one.name, value=one.value, text_colour=text_colour(one.value))
                for one in identity.colours
            ],
            elements=[ElementView.of(one) for one in shown],
        )
