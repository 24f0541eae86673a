"""What a person's attributes may be, wherever they come from: a file, a token, a form."""

from __future__ import annotations

import re
import unicodedata

UNKNOWN_COUNTRY = "ZZ"
"""CLDR's code for "unknown region": a person who signed in before anyone said where they work."""

UNKNOWN_TEAM = "unassigned"

_ISO_3166 = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY "
    "BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK "
    "FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR "
    "IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK "
    "ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM "
    "PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF "
    "TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"
)
COUNTRIES = frozenset(_ISO_3166.split())
"""ISO 3166-1 alpha-2, officially assigned."""

MAX_TEXT = 200
MAX_EMAIL = 254
MAX_EXTERNAL_ID = 128

# The grammar of HTML's <input type=email> (WHATWG), with at least one dot in the host.
_EMAIL = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+"
)
_LOCALE = re.compile(r"([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|[0-9]{3}))?")
_YES = frozenset({"1", "true", "yes", "y", "oui", "o", "x"})
_NO = frozenset({"", "0", "false", "no", "n", "non"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class FieldError(ValueError):
    """A value breaks a rule; `rule` is a stable word, `detail` a sentence that does not repeat the value."""

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(detail)
        self.rule = rule
        self.detail = detail


def text(value: str, maximum: int = MAX_TEXT) -> str:
    """One line of at least one character, without surrounding space. Raises FieldError."""
    value = value.strip()
    if not value:
        raise FieldError("required", "A value is needed.")
    if len(value) > maximum:
        raise FieldError("too-long", f"At most {maximum} characters.")
    if _CONTROL.search(value):
        raise FieldError("control-character", "Line breaks and control characters are not accepted.")
    return value


def email(value: str) -> str:
    """An address in lower case, by which people are told apart. Raises FieldError."""
    value = text(value, MAX_EMAIL).lower()
    if not _EMAIL.fullmatch(value):
        raise FieldError("email", "This is not an e-mail address such as name@example.com.")
    return value


def country(value: str) -> str:
    """An ISO 3166-1 alpha-2 code. Raises FieldError."""
    value = text(value).upper()
    if value not in COUNTRIES:
        hint = " The United Kingdom's code is GB." if value == "UK" else ""
        raise FieldError("country", f"Two letters of ISO 3166-1 are needed, such as FR or DE.{hint}")
    return value


def locale(value: str) -> str:
    """A BCP 47 tag in its canonical case, `fr` or `fr-CA`; `fr_CA` is understood. Raises FieldError."""
    found = _LOCALE.fullmatch(text(value).replace("_", "-").lower())
    if found is None:
        raise FieldError("locale", "A language tag is needed, such as fr or en-GB.")
    language, script, region = found.groups()
    return "-".join(part for part in (language, script and script.title(), region and region.upper()) if part)


def truth(value: str) -> bool:
    """Yes or no, as people write it in French or English; nothing is no. Raises FieldError."""
    value = value.strip().lower()
    if value in _YES:
        return True
    if value in _NO:
        return False
    raise FieldError("boolean", "Write yes or no.")


def terms(*values: str | None) -> tuple[str, ...]:
    """The words of some texts as they are searched for: no case, no accents, each once."""
    found: dict[str, None] = {}
    for value in values:
        folded = unicodedata.normalize("NFKD", (value or "").casefold())
        plain = "".join(sign for sign in folded if not unicodedata.combining(sign))
        for word in re.findall(r"[^\W_]+", plain):
            found[word] = None
    return tuple(found)
