"""What is done with the audit trail."""

from __future__ import annotations

from dataclasses import asdict

from chassis import audit
from chassis.mongo import Transaction
from services.program.domain.audit import ActFilter


async def export_audit_trail(tx: Transaction, wanted: ActFilter) -> None:
    """Acts are about to be given out as a file."""
    audit.record(tx, "export_audit_trail", "audit_trail", audit.ALL, facts=asdict(wanted))
