"""What an agent says by itself, without its model, in its language; English in those that are not here. Pure.

The greeting stands in agents/organizations/trades.py, the announcement of a recording in agents/privacy/presets.py,
what the line says where no agent can in telephony/twilio/phrases.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sentences:
    """`reprompt`, `filler` and `silence_goodbye` are those of agents that have none of their own."""

    reprompt: str
    filler: str
    missed: str
    silence_goodbye: str
    time_goodbye: str
    not_taken: str


SENTENCES: Mapping[str, Sentences] = {
    "en": Sentences(
        reprompt="Are you still there?",
        filler="One moment, please.",
        missed="Sorry, I did not catch that. Could you say it again, please?",
        silence_goodbye="I cannot hear you, so I will hang up now. Goodbye.",
        time_goodbye="We have reached the longest time for a call. Goodbye.",
        not_taken="Nobody takes the call just now. Can I help you with anything else?",
    ),
    "de": Sentences(
        reprompt="Sind Sie noch da?",
        filler="Einen Moment, bitte.",
        missed="Entschuldigung, das habe ich nicht verstanden. Könnten Sie es bitte noch einmal sagen?",
        silence_goodbye="Ich kann Sie nicht hören und lege jetzt auf. Auf Wiederhören.",
        time_goodbye="Wir haben die längste Dauer für einen Anruf erreicht. Auf Wiederhören.",
        not_taken="Gerade nimmt niemand ab. Kann ich Ihnen sonst noch helfen?",
    ),
    "es": Sentences(
        reprompt="¿Sigue usted ahí?",
        filler="Un momento, por favor.",
        missed="Disculpe, no le he entendido. ¿Podría repetirlo, por favor?",
        silence_goodbye="No le oigo, así que voy a colgar. Adiós.",
        time_goodbye="Hemos llegado a la duración máxima de una llamada. Adiós.",
        not_taken="Ahora mismo no contesta nadie. ¿Puedo ayudarle en algo más?",
    ),
    "fr": Sentences(
        reprompt="Êtes-vous toujours là ?",
        filler="Un instant, s'il vous plaît.",
        missed="Excusez-moi, je n'ai pas compris. Pourriez-vous répéter, s'il vous plaît ?",
        silence_goodbye="Je ne vous entends pas, je vais donc raccrocher. Au revoir.",
        time_goodbye="Nous avons atteint la durée maximale d'un appel. Au revoir.",
        not_taken="Personne ne répond pour le moment. Puis-je vous aider pour autre chose ?",
    ),
    "it": Sentences(
        reprompt="È ancora in linea?",
        filler="Un momento, per favore.",
        missed="Mi scusi, non ho capito. Potrebbe ripetere, per favore?",
        silence_goodbye="Non la sento, quindi riaggancio. Arrivederci.",
        time_goodbye="Abbiamo raggiunto la durata massima di una chiamata. Arrivederci.",
        not_taken="In questo momento non risponde nessuno. Posso aiutarla in altro?",
    ),
}


def sentences_of(language: str) -> Sentences:
    """Those of a language given as ISO 639-1, with or without a region."""
    return SENTENCES.get(language.replace("_", "-").partition("-")[0].lower(), SENTENCES["en"])
