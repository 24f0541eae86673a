"""Each figure in words: what it is called, what it means and by which formula, in French and English."""

from __future__ import annotations

from dataclasses import dataclass

LANGUAGES = ("en", "fr")


@dataclass(frozen=True, slots=True)
class Wording:
    name: str
    definition: str
    formula: str


@dataclass(frozen=True, slots=True)
class Definition:
    """One figure, in each language."""

    key: str
    en: Wording
    fr: Wording

    def wording(self, language: str) -> Wording:
        return self.fr if language == "fr" else self.en


def language_of(wanted: str | None) -> str:
    """`fr` for French in any country, else `en`."""
    return "fr" if (wanted or "").lower().partition("-")[0] == "fr" else "en"


def definition_of(key: str) -> Definition:
    return _BY_KEY[key]


DEFINITIONS = (
    Definition(
        "participation_rate",
        Wording(
            "Participation rate",
            "The part of the programme's ambassadors who shared at least once in the period. Everybody who was "
            "enrolled at any time in the period counts, also those who have left since.",
            "enrolled ambassadors with at least one share in the period ÷ ambassadors enrolled at any time in it",
        ),
        Wording(
            "Taux de participation",
            "La part des ambassadeurs du programme qui ont partagé au moins une fois pendant la période. Compte "
            "toute personne inscrite à un moment de la période, y compris celles qui sont parties depuis.",
            "ambassadeurs inscrits ayant partagé au moins une fois ÷ ambassadeurs inscrits à un moment de la période",
        ),
    ),
    Definition(
        "leaders_participation",
        Wording(
            "Leaders taking part",
            "The participation rate of those ambassadors who are leaders.",
            "enrolled leaders with at least one share in the period ÷ leaders enrolled at any time in it",
        ),
        Wording(
            "Participation des dirigeants",
            "Le taux de participation des ambassadeurs qui sont dirigeants.",
            "dirigeants inscrits ayant partagé au moins une fois ÷ dirigeants inscrits à un moment de la période",
        ),
    ),
    Definition(
        "active_ambassadors",
        Wording(
            "Active ambassadors",
            "How many different people shared at least once in the period. A share that was taken back is none.",
            "number of distinct ambassadors with at least one share",
        ),
        Wording(
            "Ambassadeurs actifs",
            "Le nombre de personnes différentes qui ont partagé au moins une fois pendant la période. Un partage "
            "retiré n'en est pas un.",
            "nombre d'ambassadeurs distincts ayant au moins un partage",
        ),
    ),
    Definition(
        "ambassadors_enrolled",
        Wording(
            "Ambassadors enrolled",
            "How many different people were ambassadors of the programme at any time in the period.",
            "number of distinct people with an enrolment that overlaps the period",
        ),
        Wording(
            "Ambassadeurs inscrits",
            "Le nombre de personnes différentes qui étaient ambassadeurs du programme à un moment de la période.",
            "nombre de personnes distinctes dont l'inscription recoupe la période",
        ),
    ),
    Definition(
        "shares",
        Wording(
            "Shares",
            "Posts that ambassadors made, on the day on which they made them, less those that were taken back.",
            "number of posts shared − number of those removed",
        ),
        Wording(
            "Partages",
            "Les publications faites par les ambassadeurs, au jour où elles ont été faites, moins celles retirées.",
            "nombre de publications partagées − nombre de celles retirées",
        ),
    ),
    Definition(
        "clicks_raw",
        Wording(
            "Clicks, raw",
            "Every time a short link was followed, whoever or whatever followed it.",
            "counted + bot + prefetch + repeat + self",
        ),
        Wording(
            "Clics bruts",
            "Chaque fois qu'un lien court a été suivi, par qui ou quoi que ce soit.",
            "comptés + robots + préchargements + répétés + soi-même",
        ),
    ),
    Definition(
        "clicks_counted",
        Wording(
            "Clicks",
            "Clicks of people: without bots, prefetching programs, repeats of one visitor within an hour, and the "
            "ambassador's own.",
            "raw clicks − bot − prefetch − repeat − self",
        ),
        Wording(
            "Clics",
            "Les clics de personnes : sans les robots, les préchargements, les répétitions d'un même visiteur dans "
            "l'heure et les clics de l'ambassadeur lui-même.",
            "clics bruts − robots − préchargements − répétés − soi-même",
        ),
    ),
    Definition(
        "clicks_by_verdict",
        Wording(
            "Clicks by verdict",
            "The raw clicks, told apart by the published policy: counted, bot, prefetch, repeat, self.",
            "number of raw clicks of each verdict",
        ),
        Wording(
            "Clics par verdict",
            "Les clics bruts, distingués selon la règle publiée : compté, robot, préchargement, répété, soi-même.",
            "nombre de clics bruts de chaque verdict",
        ),
    ),
    Definition(
        "engagements",
        Wording(
            "Engagements",
            "What people did with the posts, as measured: clicks that count, likes, comments and reposts. Estimated "
            "and potential ones are shown apart and never added in.",
            "clicks + likes + comments + reposts",
        ),
        Wording(
            "Engagements",
            "Ce que les gens ont fait des publications, tel que mesuré : clics comptés, mentions j'aime, "
            "commentaires et repartages. L'estimé et le potentiel sont montrés à part et jamais ajoutés.",
            "clics + j'aime + commentaires + repartages",
        ),
    ),
    Definition(
        "impressions",
        Wording(
            "Impressions",
            "How often posts were displayed: measured by the network, estimated, or potential, each by itself.",
            "sum of the impressions recorded",
        ),
        Wording(
            "Impressions",
            "Combien de fois les publications ont été affichées : mesuré par le réseau, estimé ou potentiel, "
            "chacun à part.",
            "somme des impressions enregistrées",
        ),
    ),
    Definition(
        "engagement_rate",
        Wording(
            "Engagement rate",
            "How many engagements an impression brought. There is none where no network gives impressions.",
            "engagements ÷ measured impressions",
        ),
        Wording(
            "Taux d'engagement",
            "Combien d'engagements une impression a apportés. Absent là où aucun réseau ne donne d'impressions.",
            "engagements ÷ impressions mesurées",
        ),
    ),
    Definition(
        "click_yield",
        Wording(
            "Clicks per share",
            "How many clicks that count a share brought on average.",
            "clicks ÷ shares",
        ),
        Wording(
            "Clics par partage",
            "Combien de clics comptés un partage a apportés en moyenne.",
            "clics ÷ partages",
        ),
    ),
    Definition(
        "earned_media_value",
        Wording(
            "Earned media value",
            "What the same effect would have cost as advertising, at the rates of each day. A network is paid by "
            "click or by impression, never by both, so that no act is paid for twice.",
            "Σ quantity of each action on each network × its rate on that day",
        ),
        Wording(
            "Valeur média gagnée",
            "Ce que le même effet aurait coûté en publicité, aux tarifs de chaque jour. Un réseau est compté au clic "
            "ou à l'impression, jamais aux deux : aucun acte n'est compté deux fois.",
            "Σ quantité de chaque action sur chaque réseau × son tarif de ce jour",
        ),
    ),
)
_BY_KEY = {definition.key: definition for definition in DEFINITIONS}
