"""A programme's calendar as an iCalendar file (RFC 5545), for a calendar program that reads it again and again."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from icalendar import Calendar, Event

from chassis.text import line
from services.hub.clients import Json
from services.hub.language import Language

REFRESH: timedelta = timedelta(hours=6)


def calendar_file(found: Json, language: Language, now: datetime, url: str) -> bytes:
    """Each entry as a day of its own that blocks nobody's time; `url` is that of the page with the calendar."""
    calendar = Calendar()
    calendar.add("prodid", "-//Herald//Programme calendar//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("name", line(found["name"]))
    calendar.add("x-wr-calname", line(found["name"]))
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    for one in found["items"]:
        calendar.add_component(_event(one, language, now, url))
    return bytes(calendar.to_ical())


def _event(entry: Json, language: Language, now: datetime, url: str) -> Event:
    event = Event()
    event.add("uid", line(f"{entry['kind']}.{entry['id']}@herald"))
    event.add("dtstamp", now)
    event.add("dtstart", date.fromisoformat(entry["day"]))
    event.add("transp", "TRANSPARENT")
    done = "✓ " if entry["done"] else ""
    kind = language.word("calendar_kind", entry["kind"])
    event.add("summary", line(f"{done}{entry['title']} ({kind})"))
    event.add("url", f"{url}?month={entry['day'][:7]}")
    return event
