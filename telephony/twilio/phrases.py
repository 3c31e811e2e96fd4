"""What the line itself says, when no agent can, in the languages it knows; English in all others."""

from __future__ import annotations

import enum


class Phrase(enum.Enum):
    """A sentence of the line."""

    UNKNOWN_NUMBER = enum.auto()
    PAUSED = enum.auto()
    CLOSED = enum.auto()
    FULL = enum.auto()
    APOLOGY = enum.auto()
    CONNECTING = enum.auto()
    NOBODY_THERE = enum.auto()
    LEAVE_MESSAGE = enum.auto()
    THANKS = enum.auto()


P = Phrase
SAID: dict[str, dict[Phrase, str]] = {
    "en": {
        P.UNKNOWN_NUMBER: "This number is not in service. Goodbye.",
        P.PAUSED: "Nobody can take your call right now. Please try again later. Goodbye.",
        P.CLOSED: "We are closed right now.",
        P.FULL: "All our lines are busy. Please call again in a few minutes. Goodbye.",
        P.APOLOGY: "I am sorry, something went wrong on our side.",
        P.CONNECTING: "I will put you through to a person.",
        P.NOBODY_THERE: "I am sorry, nobody can come to the phone right now.",
        P.LEAVE_MESSAGE: "Please leave a message after the tone. Press the hash key when you are done.",
        P.THANKS: "Thank you. We have your message. Goodbye.",
    },
    "de": {
        P.UNKNOWN_NUMBER: "Diese Nummer ist nicht vergeben. Auf Wiederhören.",
        P.PAUSED: "Im Moment kann niemand Ihren Anruf annehmen. Bitte versuchen Sie es später. Auf Wiederhören.",
        P.CLOSED: "Wir haben im Moment geschlossen.",
        P.FULL: "Alle Leitungen sind belegt. Bitte rufen Sie in ein paar Minuten wieder an. Auf Wiederhören.",
        P.APOLOGY: "Es tut mir leid, bei uns ist etwas schiefgegangen.",
        P.CONNECTING: "Ich verbinde Sie mit einem Menschen.",
        P.NOBODY_THERE: "Es tut mir leid, im Moment kann niemand ans Telefon kommen.",
        P.LEAVE_MESSAGE: "Bitte sprechen Sie nach dem Ton. Drücken Sie die Rautetaste, wenn Sie fertig sind.",
        P.THANKS: "Vielen Dank. Wir haben Ihre Nachricht. Auf Wiederhören.",
    },
    "es": {
        P.UNKNOWN_NUMBER: "Este número no está en servicio. Adiós.",
        P.PAUSED: "En este momento nadie puede atender su llamada. Por favor, inténtelo más tarde. Adiós.",
        P.CLOSED: "En este momento estamos cerrados.",
        P.FULL: "Todas nuestras líneas están ocupadas. Por favor, llame de nuevo en unos minutos. Adiós.",
        P.APOLOGY: "Lo siento, ha habido un problema por nuestra parte.",
        P.CONNECTING: "Le paso con una persona.",
        P.NOBODY_THERE: "Lo siento, nadie puede ponerse al teléfono en este momento.",
        P.LEAVE_MESSAGE: "Por favor, deje un mensaje después de la señal. Pulse la tecla almohadilla al terminar.",
        P.THANKS: "Gracias. Hemos recibido su mensaje. Adiós.",
    },
    "fr": {
        P.UNKNOWN_NUMBER: "Ce numéro n'est pas en service. Au revoir.",
        P.PAUSED: "Personne ne peut prendre votre appel pour le moment. Veuillez réessayer plus tard. Au revoir.",
        P.CLOSED: "Nous sommes fermés pour le moment.",
        P.FULL: "Toutes nos lignes sont occupées. Veuillez rappeler dans quelques minutes. Au revoir.",
        P.APOLOGY: "Je suis désolé, un problème est survenu de notre côté.",
        P.CONNECTING: "Je vous mets en relation avec une personne.",
        P.NOBODY_THERE: "Je suis désolé, personne ne peut répondre pour le moment.",
        P.LEAVE_MESSAGE: "Veuillez laisser un message après le signal. Appuyez sur la touche dièse pour terminer.",
        P.THANKS: "Merci. Nous avons bien reçu votre message. Au revoir.",
    },
    "it": {
        P.UNKNOWN_NUMBER: "Questo numero non è attivo. Arrivederci.",
        P.PAUSED: "Al momento nessuno può rispondere alla sua chiamata. Riprovi più tardi. Arrivederci.",
        P.CLOSED: "Al momento siamo chiusi.",
        P.FULL: "Tutte le linee sono occupate. Richiami tra qualche minuto. Arrivederci.",
        P.APOLOGY: "Mi dispiace, si è verificato un problema da parte nostra.",
        P.CONNECTING: "La metto in contatto con una persona.",
        P.NOBODY_THERE: "Mi dispiace, al momento nessuno può venire al telefono.",
        P.LEAVE_MESSAGE: "Lasci un messaggio dopo il segnale. Prema il tasto cancelletto per terminare.",
        P.THANKS: "Grazie. Abbiamo ricevuto il suo messaggio. Arrivederci.",
    },
}
# The voices of <Say>: https://www.twilio.com/docs/voice/twiml/say
VOICES = {"en": "en-US", "de": "de-DE", "es": "es-ES", "fr": "fr-FR", "it": "it-IT"}


def phrase(which: Phrase, language: str) -> str:
    """The sentence in a language given as ISO 639-1, with or without a region."""
    return SAID[spoken_language(language)][which]


def voice_language(language: str) -> str:
    """The language of the voice that says it."""
    return VOICES[spoken_language(language)]


def spoken_language(language: str) -> str:
    """The language the line speaks for an agent of that language."""
    known = language.replace("_", "-").partition("-")[0].lower()
    return known if known in SAID else "en"
