"""Every error a caller can see, as RFC 9457 problem details with a stable `type`.

Problem
├── Malformed            400  malformed-json
├── Unauthenticated      401  unauthenticated
├── Forbidden            403  role-missing, inactive, unknown-person, ...
├── NotFound             404  not-found
├── Conflict             409  ...
├── StaleVersion         412  stale-version
├── TooLarge             413  body-too-large
├── UnsupportedMedia     415  media-type
├── Invalid              422  invalid           (a field breaks a rule)
├── Refused              422  ...               (a rule of the domain says no)
├── PreconditionRequired 428  precondition-required
└── Overloaded           503  overloaded
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from dataclasses import field as member
from typing import Any, Self

from rfc9457 import Problem as BaseProblem


@dataclass(frozen=True, slots=True)
class Violation:
    """Which field breaks which rule: a stable word with its parameters as JSON has them; `detail` is an English
    sentence."""

    field: str
    rule: str
    detail: str
    params: Mapping[str, Any] = member(default_factory=dict, kw_only=True)


class Problem(BaseProblem):
    """An error with its status and stable type; extras become members of the document."""

    status_code_ = 500
    type_default = "internal"
    title_default = "Something went wrong."

    def __init__(
        self,
        detail: str | None = None,
        *,
        type_: str | None = None,
        errors: Sequence[Violation] = (),
        headers: dict[str, str] | None = None,
        **extras: Any,
    ) -> None:
        if errors:
            extras["errors"] = [asdict(error) for error in errors]
        super().__init__(
            self.title_default,
            type_=type_ or self.type_default,
            detail=detail,
            status=self.status_code_,
            headers=headers,
            **extras,
        )
        self.errors = tuple(errors)


class Malformed(Problem):
    status_code_, type_default, title_default = 400, "malformed-json", "The body is not valid JSON."


class Unauthenticated(Problem):
    status_code_, type_default, title_default = 401, "unauthenticated", "A valid bearer token is needed."


class Forbidden(Problem):
    status_code_, type_default, title_default = 403, "forbidden", "This is not allowed."


class NotFound(Problem):
    status_code_, type_default, title_default = 404, "not-found", "There is no such thing."

    def __init__(self, kind: str, id: str) -> None:
        super().__init__(f"There is no {kind} {id[:128]!r}.", kind=kind)


class Conflict(Problem):
    status_code_, type_default, title_default = 409, "conflict", "This conflicts with the present state."


class StaleVersion(Problem):
    status_code_, type_default, title_default = 412, "stale-version", "It was changed in the meantime."


class TooLarge(Problem):
    status_code_, type_default, title_default = 413, "body-too-large", "The body is too large."


class UnsupportedMedia(Problem):
    status_code_, type_default, title_default = 415, "media-type", "This media type is not accepted."


class Refused(Problem):
    status_code_, type_default, title_default = 422, "refused", "A rule does not allow it."


class Invalid(Refused):
    status_code_, type_default, title_default = 422, "invalid", "A field breaks a rule."

    @classmethod
    def one(cls, field: str, rule: str, detail: str, **params: Any) -> Self:
        return cls(detail, errors=[Violation(field, rule, detail, params=params)])


class ForeignCursor(Invalid):
    """A cursor that no page of this list gave out."""

    def __init__(self) -> None:
        detail = "This cursor was not given out here."
        super().__init__(detail, errors=[Violation("cursor", "format", detail)])


class PreconditionRequired(Problem):
    status_code_, type_default, title_default = 428, "precondition-required", "Say which version you change."


class TooManyRequests(Problem):
    status_code_, type_default, title_default = 429, "too-many-requests", "Too many requests."


class Overloaded(Problem):
    status_code_, type_default, title_default = 503, "overloaded", "Busy; try again shortly."

    def __init__(self, detail: str | None = None, *, retry_after: int = 1, **extras: Any) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)}, **extras)
