"""What is commonly announced where a call is recorded: a help for whoever writes the sentence, not legal advice."""

from __future__ import annotations

from agents.organizations.trades import language_of

ANNOUNCEMENTS = {
    "en": "This call is recorded.",
    "de": "Dieses Gespräch wird aufgezeichnet.",
    "es": "Esta llamada se graba.",
    "fr": "Cet appel est enregistré.",
    "it": "Questa chiamata viene registrata.",
}
STOP_HINTS = {
    "en": "If you do not want that, press {key}.",
    "de": "Wenn Sie das nicht möchten, drücken Sie die {key}.",
    "es": "Si no lo desea, pulse {key}.",
    "fr": "Si vous ne le souhaitez pas, appuyez sur {key}.",
    "it": "Se non lo desidera, prema {key}.",
}
# Where recording without the knowledge, or the consent, of everybody on the line is commonly held to be an offense.
EVERYBODY = frozenset({"AT", "CH", "DE", "ES", "FR", "IT", "LI", "LU", "BE", "PT"})
PER_STATE = frozenset({"US", "AU", "CA"})
NOT_ADVICE = "This is a help and not legal advice."


def suggested_announcement(country: str) -> str:
    """In the language that most callers of the country (ISO 3166) speak, else in English."""
    return ANNOUNCEMENTS[language_of(country)]


def suggested_stop_hint(country: str, key: str) -> str:
    """The sentence about the key, in the same language."""
    return STOP_HINTS[language_of(country)].format(key=key)


def note_on(country: str) -> str:
    """A sentence on what commonly holds there."""
    if country in EVERYBODY:
        return f"Callers commonly have to know, or to agree, before a call is recorded there. {NOT_ADVICE}"
    if country in PER_STATE:
        return f"Rules differ between states or provinces there; some want everybody to agree. {NOT_ADVICE}"
    return f"Find out what holds in your country and in your callers'. {NOT_ADVICE}"
