"""`herald trace ID`: one trace as a tree, from the local span files."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

SHOWN = ("http.route", "messaging.destination.name", "cloudevents.event_type", "db.collection.name", "herald.figure")


@dataclass(frozen=True, slots=True)
class Span:
    """A span of the local file; times in nanoseconds since 1970."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    kind: str
    service: str
    start: int
    end: int
    status: str
    attributes: dict[str, Any]
    links: list[dict[str, str]]

    @property
    def milliseconds(self) -> float:
        return (self.end - self.start) / 1e6


def read_spans(folder: Path, trace_id: str = "") -> list[Span]:
    """The spans of a trace, or of all, by start, without repeats."""
    found: dict[str, Span] = {}
    for line in _lines(folder):
        if trace_id in line:
            raw = json.loads(line)
            if trace_id in ("", raw["trace_id"]):
                found[raw["span_id"]] = Span(**raw)
    return sorted(found.values(), key=lambda span: span.start)


def _lines(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*.jsonl*")):
        with path.open(encoding="utf-8") as file:
            for line in file:
                if line.endswith("\n"):
                    yield line


def tree_of(spans: list[Span]) -> Tree:
    """The spans as a tree; a span whose parent was not recorded stands at the top."""
    children: dict[str | None, list[Span]] = defaultdict(list)
    known = {span.span_id for span in spans}
    for span in spans:
        children[span.parent_id if span.parent_id in known else None].append(span)
    origin = spans[0].start
    root = Tree(Text(f"trace {spans[0].trace_id}, {len(spans)} spans", style="bold"))

    def grow(branch: Tree, parent: str | None) -> None:
        for span in children[parent]:
            grow(branch.add(_line(span, origin)), span.span_id)

    grow(root, None)
    return root


def _line(span: Span, origin: int) -> Text:
    text = Text()
    text.append(f"{span.service:<13}", style="cyan")
    text.append(f"{span.kind:<9}", style="dim")
    text.append(span.name, style="bold red" if span.status == "ERROR" else "bold")
    text.append(f"  +{(span.start - origin) / 1e6:.1f} ms, took {span.milliseconds:.1f} ms", style="dim")
    details = [str(span.attributes[name]) for name in SHOWN if span.attributes.get(name)]
    if details:
        text.append("  " + " ".join(details), style="green")
    if span.links:
        text.append(f"  {len(span.links)} link{'s' if len(span.links) > 1 else ''}", style="dim")
    return text


def trace(
    trace_id: Annotated[str, typer.Argument(help="32 hexadecimal digits, or a traceparent")],
    folder: Annotated[Path, typer.Option(help="Where the span files are")] = Path(".herald/spans"),
) -> None:
    """Print one trace as a tree, through HTTP calls and Kafka."""
    wanted = trace_id.split("-")[1] if trace_id.count("-") == 3 else trace_id.lower()
    spans = read_spans(folder, wanted)
    if not spans:
        typer.echo(f"no span of trace {wanted} in {folder} (they are kept for a while, the newest ones)", err=True)
        raise typer.Exit(1)
    Console().print(tree_of(spans), soft_wrap=True)
