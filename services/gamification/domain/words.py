"""Why a point was given, in words: the answer to "why did I get this?"."""

from __future__ import annotations

from services.gamification.domain.ledger import Entry
from services.gamification.domain.rules import Rule

_NETWORKS = {
    "linkedin": ("sur LinkedIn", "on LinkedIn"),
    "x": ("sur X", "on X"),
    "facebook": ("sur Facebook", "on Facebook"),
    "whatsapp": ("par WhatsApp", "by WhatsApp"),
    "email": ("par e-mail", "by e-mail"),
    "device": ("depuis votre téléphone", "from your phone"),
}
_ACTS = {
    "share": ("Vous avez partagé un contenu {where}", "You shared an item {where}"),
    "click": ("{n} personne a suivi votre lien {where}", "{n} person followed your link {where}"),
    "like": ("{n} mention « j’aime » pour votre partage {where}", "{n} like for your share {where}"),
    "comment": ("{n} commentaire sur votre partage {where}", "{n} comment on your share {where}"),
    "repost": ("{n} repartage de votre publication {where}", "{n} repost of your share {where}"),
}
_OTHER = ("{n} × {act} {where}", "{n} × {act} {where}")
_MANY = {
    "share": _ACTS["share"],
    "click": ("{n} personnes ont suivi votre lien {where}", "{n} people followed your link {where}"),
    "like": ("{n} mentions « j’aime » pour votre partage {where}", "{n} likes for your share {where}"),
    "comment": ("{n} commentaires sur votre partage {where}", "{n} comments on your share {where}"),
    "repost": ("{n} repartages de votre publication {where}", "{n} reposts of your share {where}"),
}
_REMOVED = (
    "Votre partage {where} a été retiré : ses points le sont aussi",
    "Your share {where} was taken back, and its points with it",
)
_LIMITED = (
    " (la limite du jour est atteinte : {given} sur {worth})",
    " (the day's limit is reached: {given} of {worth})",
)
_RATE = (" : {points}{each}.", ": {points}{each}.")
_EACH = (" l’unité", " each")
LANGUAGES = ("fr", "en")


def explain(entry: Entry, rule: Rule | None) -> dict[str, str]:
    """One sentence a language (`fr`, `en`): what happened, what it is worth by its rule, and whether a limit cut it.

    `rule` is the entry's rule in the entry's version.
    """
    return {language: _sentence(entry, rule, index) for index, language in enumerate(LANGUAGES)}


def _sentence(entry: Entry, rule: Rule | None, language: int) -> str:
    where = _NETWORKS.get(entry.network, (f"sur {entry.network}", f"on {entry.network}"))[language]
    if entry.reverses is not None:
        return _REMOVED[language].format(where=where) + "."
    acts = _MANY if entry.acts > 1 else _ACTS
    said = acts.get(entry.act, _OTHER)[language].format(n=entry.acts, act=entry.act, where=where)
    if entry.points < entry.worth:
        said += _LIMITED[language].format(given=_points(entry.points), worth=entry.worth)
    if rule is None:
        return said + "."
    each = _EACH[language] if entry.acts > 1 else ""
    return said + _RATE[language].format(points=_points(rule.points), each=each)


def _points(number: int) -> str:
    return f"{number} point" if number == 1 else f"{number} points"
