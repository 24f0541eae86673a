"""What the audit trail tells of the things of this service."""

from __future__ import annotations

from chassis.audit import Audited
from services.sharing.domain.guardrails import Guardrails

GUARDRAILS = Audited("guardrails", Guardrails, shown=("disclosures", "forbidden"), left_out=("program_id", "version"))
