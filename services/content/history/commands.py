"""Importing past items, and finding those that past posts refer to."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence

from chassis import audit, web_address
from chassis.external_rows import KNOWN, Outcome
from chassis.mongo import Transaction
from chassis.principals import Principal
from services.content import event_mapping
from services.content.context import Context
from services.content.domain.items import Item
from services.content.history.rows import ItemRow, Known, item_of, retired, why_not

logger = logging.getLogger(__name__)
KIND = "item"


async def import_items(
    context: Context,
    tx: Transaction,
    caller: Principal,
    program_id: str,
    source: str,
    rows: Sequence[ItemRow],
    *,
    preview: bool,
) -> list[Outcome]:
    """Items of the past. One whose address is there already is that item, and stays as it is."""
    batch = await context.external_rows.open(KIND, program_id, source, rows, tx)
    there = await context.store.ids_by_address(program_id, {row.url for _, row in batch}, tx)
    items: list[Item] = []
    for number, row in batch:
        wrong = why_not(row, tx.now)
        if wrong is not None:
            batch.refuse(number, *wrong)
            continue
        if row.url in there:
            batch.accept(number, there[row.url])
            batch.outcomes[number] = KNOWN
            continue
        published = item_of(row, program_id, source)
        over = retired(published, row, tx.now)
        items.append(over or published)
        there[row.url] = published.id
        batch.accept(number, published.id)
        if not preview:
            tx.emit(event_mapping.content_published(published))
            if over is not None:
                tx.emit(event_mapping.content_retired(over))
    if not preview:
        await context.store.insert_items(items, tx)
        await context.external_rows.keep(KIND, batch, tx)
        logger.info(
            "history imported: %d of %d items of %s into programme %s by %s",
            len(items),
            len(rows),
            source,
            program_id,
            caller.id,
        )
    audit.record_import(tx, "import_items", batch, preview=preview)
    return batch.outcomes


async def resolve_items(context: Context, program_id: str, source: str, named: Iterable[str]) -> dict[str, Known]:
    """The programme's items by what names them: an address, or an id in the source. Those not found are left out."""
    wanted = set(named)
    addresses = {one: found.href for one in wanted if (found := web_address.find(one)) is not None}
    by_address = await context.store.ids_by_address(program_id, {*addresses.values(), *addresses})
    ids = await context.external_rows.refs(KIND, program_id, source, wanted)
    for one, href in addresses.items():
        if (id := by_address.get(href) or by_address.get(one)) is not None:
            ids.setdefault(one, id)
    items: Mapping[str, Item] = await context.store.items_by_id(set(ids.values()))
    known = {one: _known(items[id]) for one, id in ids.items() if id in items}
    return {one: found for one, found in known.items() if found is not None}


def _known(item: Item) -> Known | None:
    first = item.copy.variants[0]
    return Known(item.id, first.title, item.copy.url, first.language) if item.copy.url else None
