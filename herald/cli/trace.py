"""`herald trace`: one trace as a tree, by its id or by a post; from the local span files or from Jaeger."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from herald.operations.settings import operator_settings, run_operation
from herald.operations.traces import Span, ask_jaeger, facts_of_post, read_spans

SHOWN = ("http.route", "messaging.destination.name", "cloudevents.event_type", "db.collection.name", "herald.figure")


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
    trace_id: Annotated[str, typer.Argument(help="32 hexadecimal digits, or a traceparent", show_default=False)] = "",
    post: Annotated[str, typer.Option(help="The id of a post: the trace of the tap that shared it")] = "",
    folder: Annotated[Path, typer.Option(help="Where the span files are")] = Path(".herald/spans"),
    jaeger: Annotated[
        str, typer.Option(envvar="HERALD_JAEGER_URL", help="Ask Jaeger at this address instead of the span files")
    ] = "",
) -> None:
    """Print one trace as a tree, through HTTP calls and Kafka."""
    if bool(trace_id) == bool(post):
        typer.echo("herald: name a trace, or a post with --post", err=True)
        raise typer.Exit(2)
    wanted = _trace_of_post(post) if post else trace_id.split("-")[1] if trace_id.count("-") == 3 else trace_id.lower()
    try:
        spans = ask_jaeger(jaeger, wanted) if jaeger else read_spans(folder, wanted)
    except httpx.HTTPError as error:
        typer.echo(f"herald: Jaeger at {jaeger} does not answer ({type(error).__name__})", err=True)
        raise typer.Exit(1) from None
    if not spans:
        where = f"Jaeger at {jaeger}" if jaeger else str(folder)
        typer.echo(f"no span of trace {wanted} in {where} (they are kept for a while, the newest ones)", err=True)
        raise typer.Exit(1)
    Console().print(tree_of(spans), soft_wrap=True)


def _trace_of_post(post: str) -> str:
    """The trace of the tap; prints what became of the post. Raises typer.Exit."""
    facts = run_operation(facts_of_post(operator_settings(), post))
    for fact in facts:
        typer.echo(f"{fact.at:%Y-%m-%d %H:%M:%S}  {fact.event_type}  trace {fact.trace_id or 'not recorded'}")
    traces = [fact.trace_id for fact in facts if fact.trace_id]
    if not traces:
        said = "its trace was not recorded" if facts else "Kafka holds nothing of it"
        typer.echo(f"herald: no trace of post {post}: {said}", err=True)
        raise typer.Exit(1)
    return traces[0]
