"""Every text of sharing that a person reads, in French and English."""

from __future__ import annotations

_MESSAGES = {
    "en": {
        "forbidden-phrase": "“{excerpt}” cannot be shared: the programme rules out “{phrase}”.",
        "discouraged-phrase": "“{excerpt}” sounds like an advertisement; your own words are believed more.",
        "too-long": "{length} characters with the disclosure and the link; this network takes {max_length}. "
        "Shorten it by {over}.",
        "email-address": "This shows an e-mail address to everybody. Leave it out unless its owner agreed.",
        "phone-number": "This shows a phone number to everybody. Leave it out unless its owner agreed.",
        "blocked": "The guardrails do not let this caption through.",
        "link-missing": "This link leads nowhere",
        "link-missing-help": "It may be mistyped. Ask the person who shared it for a new one.",
        "link-busy": "One moment, please",
        "link-busy-help": "The link cannot be followed right now. Try again in a few seconds.",
    },
    "fr": {
        "forbidden-phrase": "« {excerpt} » ne peut pas être partagé : le programme exclut « {phrase} ».",
        "discouraged-phrase": "« {excerpt} » sonne comme une publicité ; vos propres mots sont plus crédibles.",
        "too-long": "{length} caractères avec la mention et le lien ; ce réseau en accepte {max_length}. "
        "Raccourcissez de {over}.",
        "email-address": "Ceci montre une adresse e-mail à tout le monde. Retirez-la, sauf accord de la personne.",
        "phone-number": "Ceci montre un numéro de téléphone à tout le monde. Retirez-le, sauf accord de la personne.",
        "blocked": "Les garde-fous ne laissent pas passer ce texte.",
        "link-missing": "Ce lien ne mène nulle part",
        "link-missing-help": "Il est peut-être mal recopié. Demandez-en un nouveau à la personne qui l’a partagé.",
        "link-busy": "Un instant, s’il vous plaît",
        "link-busy-help": "Le lien ne peut pas être suivi pour le moment. Réessayez dans quelques secondes.",
    },
}


def message(key: str, locale: str, **values: object) -> str:
    """The text in the locale's language, English where there is none in it."""
    messages = _MESSAGES.get(locale.partition("-")[0].lower(), _MESSAGES["en"])
    return messages[key].format(**values)
