"""What the line itself says where no agent can, in the languages it knows; English in all others."""

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
    # Transfers: to the caller
    HOLD = enum.auto()
    STILL_HOLD = enum.auto()
    NOT_REACHED = enum.auto()
    # Transfers: to the person who is called
    ANNOUNCEMENT = enum.auto()
    CALLER_NUMBER = enum.auto()
    CALLER_NAME = enum.auto()
    ABOUT = enum.auto()
    ORDER = enum.auto()
    APPOINTMENT = enum.auto()
    OFFER = enum.auto()
    JOINING = enum.auto()
    CALLER_GONE = enum.auto()
    NOT_JOINED = enum.auto()
    DECLINED = enum.auto()


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
        P.HOLD: "Please hold the line. I am calling {name}.",
        P.STILL_HOLD: "Thank you for holding. I am still trying to reach somebody.",
        P.NOT_REACHED: "I am sorry, {name} cannot take your call right now. What else can I do for you?",
        P.ANNOUNCEMENT: "This is the phone assistant of {organization}. A caller would like to speak with you.",
        P.CALLER_NUMBER: "The caller's number is {number}.",
        P.CALLER_NAME: "The caller's name is {name}.",
        P.ABOUT: "It is about: {reason}.",
        P.ORDER: "The caller has placed order number {number}.",
        P.APPOINTMENT: "The caller has an appointment: {service}, {when}.",
        P.OFFER: "Press 1 to take the call, or 2 to decline.",
        P.JOINING: "I am connecting you.",
        P.CALLER_GONE: "The caller has hung up. Goodbye.",
        P.NOT_JOINED: "I am sorry, I could not connect you. Goodbye.",
        P.DECLINED: "Thank you. Goodbye.",
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
        P.HOLD: "Bitte bleiben Sie dran. Ich rufe {name} an.",
        P.STILL_HOLD: "Danke, dass Sie warten. Ich versuche weiter, jemanden zu erreichen.",
        P.NOT_REACHED: "Es tut mir leid, {name} kann gerade nicht ans Telefon kommen. Was kann ich sonst für Sie tun?",
        P.ANNOUNCEMENT: "Hier ist der Telefonassistent von {organization}. Ein Anrufer möchte mit Ihnen sprechen.",
        P.CALLER_NUMBER: "Die Nummer des Anrufers ist {number}.",
        P.CALLER_NAME: "Der Anrufer heißt {name}.",
        P.ABOUT: "Es geht um: {reason}.",
        P.ORDER: "Der Anrufer hat die Bestellung Nummer {number} aufgegeben.",
        P.APPOINTMENT: "Der Anrufer hat einen Termin: {service}, {when}.",
        P.OFFER: "Drücken Sie die 1, um den Anruf anzunehmen, oder die 2, um ihn abzulehnen.",
        P.JOINING: "Ich verbinde Sie.",
        P.CALLER_GONE: "Der Anrufer hat aufgelegt. Auf Wiederhören.",
        P.NOT_JOINED: "Es tut mir leid, ich konnte Sie nicht verbinden. Auf Wiederhören.",
        P.DECLINED: "Vielen Dank. Auf Wiederhören.",
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
        P.HOLD: "No cuelgue, por favor. Estoy llamando a {name}.",
        P.STILL_HOLD: "Gracias por esperar. Sigo intentando localizar a alguien.",
        P.NOT_REACHED: "Lo siento, {name} no puede atender su llamada en este momento. ¿En qué más puedo ayudarle?",
        P.ANNOUNCEMENT: "Le habla el asistente telefónico de {organization}. Alguien quiere hablar con usted.",
        P.CALLER_NUMBER: "El número de quien llama es {number}.",
        P.CALLER_NAME: "Quien llama es {name}.",
        P.ABOUT: "Se trata de: {reason}.",
        P.ORDER: "Quien llama ha hecho el pedido número {number}.",
        P.APPOINTMENT: "Quien llama tiene una cita: {service}, {when}.",
        P.OFFER: "Pulse 1 para aceptar la llamada o 2 para rechazarla.",
        P.JOINING: "Le pongo en comunicación.",
        P.CALLER_GONE: "La persona que llamaba ha colgado. Adiós.",
        P.NOT_JOINED: "Lo siento, no he podido conectarles. Adiós.",
        P.DECLINED: "Gracias. Adiós.",
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
        P.HOLD: "Ne quittez pas. J'appelle {name}.",
        P.STILL_HOLD: "Merci de patienter. J'essaie toujours de joindre quelqu'un.",
        P.NOT_REACHED: "Je suis désolé, {name} ne peut pas prendre votre appel. Que puis-je faire d'autre pour vous ?",
        P.ANNOUNCEMENT: "Ici l'assistant téléphonique de {organization}. Une personne souhaite vous parler.",
        P.CALLER_NUMBER: "Son numéro est le {number}.",
        P.CALLER_NAME: "La personne s'appelle {name}.",
        P.ABOUT: "Il s'agit de : {reason}.",
        P.ORDER: "Cette personne a passé la commande numéro {number}.",
        P.APPOINTMENT: "Cette personne a un rendez-vous : {service}, {when}.",
        P.OFFER: "Appuyez sur 1 pour prendre l'appel, ou sur 2 pour le refuser.",
        P.JOINING: "Je vous mets en relation.",
        P.CALLER_GONE: "La personne a raccroché. Au revoir.",
        P.NOT_JOINED: "Je suis désolé, je n'ai pas pu vous mettre en relation. Au revoir.",
        P.DECLINED: "Merci. Au revoir.",
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
        P.HOLD: "Resti in linea, per favore. Sto chiamando {name}.",
        P.STILL_HOLD: "Grazie per l'attesa. Sto ancora cercando qualcuno.",
        P.NOT_REACHED: "Mi dispiace, {name} non può rispondere in questo momento. Come posso aiutarla altrimenti?",
        P.ANNOUNCEMENT: "Qui l'assistente telefonico di {organization}. Una persona desidera parlare con lei.",
        P.CALLER_NUMBER: "Il numero di chi chiama è {number}.",
        P.CALLER_NAME: "Chi chiama è {name}.",
        P.ABOUT: "Si tratta di: {reason}.",
        P.ORDER: "Chi chiama ha fatto l'ordine numero {number}.",
        P.APPOINTMENT: "Chi chiama ha un appuntamento: {service}, {when}.",
        P.OFFER: "Prema 1 per accettare la chiamata, oppure 2 per rifiutarla.",
        P.JOINING: "La metto in comunicazione.",
        P.CALLER_GONE: "La persona ha riagganciato. Arrivederci.",
        P.NOT_JOINED: "Mi dispiace, non sono riuscito a metterla in comunicazione. Arrivederci.",
        P.DECLINED: "Grazie. Arrivederci.",
    },
}
# The voices of <Say>: https://www.twilio.com/docs/voice/twiml/say
VOICES = {"en": "en-US", "de": "de-DE", "es": "es-ES", "fr": "fr-FR", "it": "it-IT"}


def phrase(which: Phrase, language: str, **fields: object) -> str:
    """The sentence in a language given as ISO 639-1, with or without a region; `fields` fill its placeholders."""
    return SAID[spoken_language(language)][which].format(**fields)


def voice_language(language: str) -> str:
    """The language of the voice that says it."""
    return VOICES[spoken_language(language)]


def spoken_language(language: str) -> str:
    """The language the line speaks for an agent of that language."""
    known = language.replace("_", "-").partition("-")[0].lower()
    return known if known in SAID else "en"
