"""Each figure's name, definition and formula, in words that stand beside it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Definition:
    """A figure in both languages; `formula` is the same in each."""

    name: dict[str, str]
    text: dict[str, str]
    formula: str
    unit: str = "count"


DEFINITIONS: dict[str, Definition] = {
    "participation_rate": Definition(
        {"en": "Participation rate", "fr": "Taux de participation"},
        {
            "en": "Ambassadors who shared at least once in the period, out of those enrolled at any time in it.",
            "fr": "Ambassadeurs ayant partagé au moins une fois dans la période, parmi les inscrits de la période.",
        },
        "active_ambassadors / ambassadors_enrolled",
        "rate",
    ),
    "active_ambassadors": Definition(
        {"en": "Active ambassadors", "fr": "Ambassadeurs actifs"},
        {
            "en": "Ambassadors enrolled in the period who shared at least once in it; each counts once.",
            "fr": "Ambassadeurs inscrits dans la période qui y ont partagé au moins une fois ; chacun compte une fois.",
        },
        "|{ambassador: shares(period) > 0} ∩ enrolled(period)|",
    ),
    "ambassadors_enrolled": Definition(
        {"en": "Ambassadors enrolled", "fr": "Ambassadeurs inscrits"},
        {
            "en": "People who were ambassadors at any time in the period, even if they left since.",
            "fr": "Personnes ambassadrices à un moment de la période, même parties depuis.",
        },
        "|{person: joined < end and (not left or left > start)}|",
    ),
    "shares": Definition(
        {"en": "Shares", "fr": "Partages"},
        {
            "en": "Posts shared in the period, less those that were taken back.",
            "fr": "Publications partagées dans la période, moins celles retirées.",
        },
        "|posts shared| - |those of them taken back|",
    ),
    "clicks_raw": Definition(
        {"en": "Clicks (raw)", "fr": "Clics (bruts)"},
        {
            "en": "Every time a short link was followed, by people, robots, mail scanners or prefetchers.",
            "fr": "Chaque ouverture d’un lien court : personnes, robots, antivirus de messagerie, préchargements.",
        },
        "count(click)",
    ),
    "clicks_counted": Definition(
        {"en": "Clicks", "fr": "Clics"},
        {
            "en": "Clicks of people: no robots, mail scanners, prefetches, repeats within an hour or the author’s own.",
            "fr": "Clics de personnes : ni robots, antivirus de messagerie ou préchargements, ni répétitions dans "
            "l’heure, ni clics de l’auteur.",
        },
        "count(click where verdict = counted)",
    ),
    "engagements": Definition(
        {"en": "Engagements", "fr": "Engagements"},
        {
            "en": "Counted clicks, likes, comments and reposts that shares brought.",
            "fr": "Clics comptés, mentions j’aime, commentaires et reprises apportés par les partages.",
        },
        "clicks_counted + likes + comments + reposts",
    ),
    "impressions": Definition(
        {"en": "Impressions", "fr": "Impressions"},
        {
            "en": "How often posts were displayed, as measured; estimated and potential ones stand apart.",
            "fr": "Affichages mesurés des publications ; l’estimé et le potentiel sont donnés à part.",
        },
        "sum(impression)",
    ),
    "engagement_rate": Definition(
        {"en": "Engagement rate", "fr": "Taux d’engagement"},
        {
            "en": "Engagements out of measured impressions; absent where no network gives impressions.",
            "fr": "Engagements rapportés aux impressions mesurées ; absent si aucun réseau ne les donne.",
        },
        "engagements / impressions",
        "rate",
    ),
    "click_yield": Definition(
        {"en": "Clicks per share", "fr": "Clics par partage"},
        {
            "en": "Counted clicks that one share brings on average.",
            "fr": "Clics comptés qu’un partage apporte en moyenne.",
        },
        "clicks_counted / shares",
        "ratio",
    ),
    "shared_content_rate": Definition(
        {"en": "Content shared", "fr": "Contenus partagés"},
        {
            "en": "Of the items that could be shared in the period, the part that was shared at least once.",
            "fr": "Part des contenus partageables de la période qui ont été partagés au moins une fois.",
        },
        "|items shared| / |items published|",
        "rate",
    ),
    "leader_participation": Definition(
        {"en": "Leaders taking part", "fr": "Participation des dirigeants"},
        {
            "en": "Enrolled leaders who shared at least once in the period, out of all enrolled leaders.",
            "fr": "Dirigeants inscrits ayant partagé au moins une fois, parmi les dirigeants inscrits.",
        },
        "|active leaders| / |enrolled leaders|",
        "rate",
    ),
    "lessons_completed": Definition(
        {"en": "Lessons completed", "fr": "Leçons suivies"},
        {
            "en": "Lessons that ambassadors completed in the period; each counts once for each of them. Absent where "
            "too few were enrolled.",
            "fr": "Leçons que les ambassadeurs ont suivies jusqu’au bout dans la période ; chacune compte une fois par "
            "personne. Absent s’il y avait trop peu d’inscrits.",
        },
        "count(lesson completed)",
    ),
    "first_day_path": Definition(
        {"en": "First day learned", "fr": "Premier jour suivi"},
        {
            "en": "Ambassadors enrolled in the period who completed every lesson of the first-day path before its end. "
            "Absent where too few were enrolled.",
            "fr": "Ambassadeurs inscrits dans la période ayant suivi toutes les leçons du parcours du premier jour "
            "avant sa fin. Absent s’il y avait trop peu d’inscrits.",
        },
        "|{enrolled: first-day path completed < end}| / ambassadors_enrolled",
        "rate",
    ),
    "acts": Definition(
        {"en": "Other acts", "fr": "Autres actions"},
        {
            "en": "What ambassadors did beside sharing in the period, once it was established: talks, articles and "
            "podcasts, candidates referred and hired, events. Less what was withdrawn.",
            "fr": "Ce que les ambassadeurs ont fait d’autre que partager dans la période, une fois établi : "
            "conférences, articles et podcasts, personnes recommandées et recrutées, événements. Moins ce qui a été "
            "retiré.",
        },
        "count(act recorded) - count(those of them withdrawn)",
    ),
    "expert_acts": Definition(
        {"en": "Expert acts", "fr": "Prises de parole d’experts"},
        {
            "en": "Talks, articles and podcasts that a manager confirmed in the period; less what was withdrawn.",
            "fr": "Conférences, articles et podcasts confirmés par un responsable dans la période, moins ce qui a été "
            "retiré.",
        },
        "count(act recorded where act in talk, article, podcast) - count(those of them withdrawn)",
    ),
    "referrals": Definition(
        {"en": "Referrals", "fr": "Recommandations"},
        {
            "en": "Candidates whom ambassadors referred and whom recruiting looks at, on the day on which it began to.",
            "fr": "Personnes recommandées par des ambassadeurs et examinées par le recrutement, au jour où cela "
            "commence.",
        },
        "count(act recorded where act = referral)",
    ),
    "hires": Definition(
        {"en": "Hires by referral", "fr": "Recrutements par recommandation"},
        {
            "en": "Candidates whom ambassadors referred and who were hired, on the day on which the recruiting system "
            "said so.",
            "fr": "Personnes recommandées par des ambassadeurs et recrutées, au jour où le système de recrutement le "
            "dit.",
        },
        "count(act recorded where act = hire)",
    ),
    "event_attendances": Definition(
        {"en": "Event attendances", "fr": "Présences aux événements"},
        {
            "en": "Check-ins of ambassadors at events of the period: somebody at two events counts twice.",
            "fr": "Présences d’ambassadeurs aux événements de la période ; qui vient à deux événements compte deux "
            "fois.",
        },
        "count(act recorded where act = event)",
    ),
    "earned_media_value": Definition(
        {"en": "Earned media value", "fr": "Valeur média gagnée"},
        {
            "en": "What the same attention would have cost at the rates of each day; see the rates and their source.",
            "fr": "Ce que la même attention aurait coûté aux tarifs de chaque jour ; voir les tarifs et leur source.",
        },
        "Σ day, network, action: count × rate(network, action, day)",
        "amount",
    ),
}
