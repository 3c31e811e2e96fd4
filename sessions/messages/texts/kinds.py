"""The kinds of texts, the facts that each may name, and what it says by default in each language."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _

from voiceapp.core.translations.names import ENGLISH_NAMES

# Twilio takes no longer one (provider-fields.md).
LONGEST_BODY = 1600
LANGUAGES = tuple((code, _(name)) for code, name in ENGLISH_NAMES.items())


class TextKind(models.TextChoices):
    ORDER_CONFIRMATION = "order_confirmation", "Order confirmation"
    ORDER_READY = "order_ready", "Order ready"
    ORDER_ON_ITS_WAY = "order_on_its_way", "Order on its way"
    ORDER_REFUSED = "order_refused", "Order refused"
    ORDER_CANCELED = "order_canceled", "Order canceled"
    APPOINTMENT_CONFIRMATION = "appointment_confirmation", "Appointment confirmation"
    APPOINTMENT_MOVED = "appointment_moved", "Appointment moved"
    APPOINTMENT_CANCELED = "appointment_canceled", "Appointment canceled"
    APPOINTMENT_REMINDER = "appointment_reminder", "Appointment reminder"
    ORDER_ALARM = "order_alarm", "Alarm: order not accepted"
    ALERT = "alert", "Alert"
    ALERT_RESOLVED = "alert_resolved", "Alert that is over"
    MENU_LINK = "menu_link", "Link to the menu"
    HELP = "help", "Answer to HELP"


K = TextKind
# In every text: the organization's name and the number to call.
ALWAYS = ("name", "phone")
APPOINTMENT = (*ALWAYS, "service", "date", "time")
PLACEHOLDERS: Mapping[TextKind, tuple[str, ...]] = {
    K.ORDER_CONFIRMATION: (*ALWAYS, "number", "items", "total"),
    K.ORDER_READY: (*ALWAYS, "number", "items", "total"),
    K.ORDER_ON_ITS_WAY: (*ALWAYS, "number", "items", "total"),
    K.ORDER_REFUSED: (*ALWAYS, "number", "items", "total", "reason"),
    K.ORDER_CANCELED: (*ALWAYS, "number", "items", "total", "reason"),
    K.APPOINTMENT_CONFIRMATION: APPOINTMENT,
    K.APPOINTMENT_MOVED: APPOINTMENT,
    K.APPOINTMENT_CANCELED: APPOINTMENT,
    K.APPOINTMENT_REMINDER: APPOINTMENT,
    K.ORDER_ALARM: (*ALWAYS, "number", "total"),
    K.ALERT: (*ALWAYS, "alert", "link"),
    K.ALERT_RESOLVED: (*ALWAYS, "alert", "link"),
    K.MENU_LINK: (*ALWAYS, "link"),
    K.HELP: ALWAYS,
}
# For the preview.
EXAMPLES: Mapping[str, str] = {
    "name": "Bella Napoli",
    "phone": "+49 30 23125001",
    "number": "42",
    "items": "2 x large Margherita, 1 x Tiramisu",
    "total": "29.00 EUR",
    "reason": "We are closing.",
    "service": "Oil change",
    "date": "Thursday, December 3",
    "time": "9:30 AM",
    "link": "https://example.com/menu",
    "alert": "Many calls fail",
}
# In GSM-7, so that a usual text is one or two segments.
DEFAULTS: Mapping[str, Mapping[TextKind, str]] = {
    "en": {
        K.ORDER_CONFIRMATION: "{name}: Order No. {number}: {items}. Total {total}. Questions? Call {phone}.",
        K.ORDER_READY: "{name}: Your order No. {number} is ready. Total {total}.",
        K.ORDER_ON_ITS_WAY: "{name}: Your order No. {number} is on its way. Total {total}.",
        K.ORDER_REFUSED: "{name}: We are sorry: we cannot make your order No. {number}. Questions? Call {phone}.",
        K.ORDER_CANCELED: "{name}: Your order No. {number} was canceled. Questions? Call {phone}.",
        K.APPOINTMENT_CONFIRMATION: "{name}: Your appointment is booked: {service}, {date}, {time}. Changes? Call "
        "{phone}.",
        K.APPOINTMENT_MOVED: "{name}: Your appointment was moved: {service}, {date}, {time}. Questions? Call {phone}.",
        K.APPOINTMENT_CANCELED: "{name}: Your appointment was canceled: {service}, {date}, {time}. Questions? Call "
        "{phone}.",
        K.APPOINTMENT_REMINDER: "{name}: A reminder of your appointment: {service}, {date}, {time}. Changes? Call "
        "{phone}.",
        K.ORDER_ALARM: "{name}: Order {number} over {total} has not been accepted yet. Please look at the order board.",
        K.ALERT: "{name}: Alert: {alert}. {link}",
        K.ALERT_RESOLVED: "{name}: Over: {alert}. {link}",
        K.MENU_LINK: "{name}: Here is our menu: {link}",
        K.HELP: "{name}: Please call {phone}. Reply STOP to get no more texts.",
    },
    "de": {
        K.ORDER_CONFIRMATION: "{name}: Bestellung Nr. {number}: {items}. Summe {total}. Fragen? Rufen Sie an: {phone}.",
        K.ORDER_READY: "{name}: Ihre Bestellung Nr. {number} ist fertig. Summe {total}.",
        K.ORDER_ON_ITS_WAY: "{name}: Ihre Bestellung Nr. {number} ist unterwegs. Summe {total}.",
        K.ORDER_REFUSED: "{name}: Leider können wir Ihre Bestellung Nr. {number} nicht annehmen. Fragen? Rufen Sie "
        "an: {phone}.",
        K.ORDER_CANCELED: "{name}: Ihre Bestellung Nr. {number} wurde storniert. Fragen? Rufen Sie an: {phone}.",
        K.APPOINTMENT_CONFIRMATION: "{name}: Ihr Termin: {service}, {date}, {time} Uhr. Änderungen? Rufen Sie an: "
        "{phone}.",
        K.APPOINTMENT_MOVED: "{name}: Ihr Termin wurde verlegt: {service}, {date}, {time} Uhr. Fragen? Rufen Sie an: "
        "{phone}.",
        K.APPOINTMENT_CANCELED: "{name}: Ihr Termin wurde abgesagt: {service}, {date}, {time} Uhr. Fragen? Rufen Sie "
        "an: {phone}.",
        K.APPOINTMENT_REMINDER: "{name}: Wir erinnern an Ihren Termin: {service}, {date}, {time} Uhr. Änderungen? "
        "Rufen Sie an: {phone}.",
        K.ORDER_ALARM: "{name}: Bestellung {number} über {total} ist noch nicht angenommen. Bitte sehen Sie nach.",
        K.ALERT: "{name}: Warnung: {alert}. {link}",
        K.ALERT_RESOLVED: "{name}: Vorbei: {alert}. {link}",
        K.MENU_LINK: "{name}: Hier ist unsere Karte: {link}",
        K.HELP: "{name}: Bitte rufen Sie an: {phone}. Mit STOP bekommen Sie keine SMS mehr.",
    },
    "es": {
        K.ORDER_CONFIRMATION: "{name}: Pedido {number}: {items}. Total {total}. ¿Preguntas? Llame al {phone}.",
        K.ORDER_READY: "{name}: Su pedido {number} le espera. Total {total}.",
        K.ORDER_ON_ITS_WAY: "{name}: Su pedido {number} va de camino. Total {total}.",
        K.ORDER_REFUSED: "{name}: Lo sentimos: no podemos preparar su pedido {number}. ¿Preguntas? Llame al {phone}.",
        K.ORDER_CANCELED: "{name}: Su pedido {number} se ha cancelado. ¿Preguntas? Llame al {phone}.",
        K.APPOINTMENT_CONFIRMATION: "{name}: Su cita: {service}, {date}, {time}. ¿Cambios? Llame al {phone}.",
        K.APPOINTMENT_MOVED: "{name}: Su cita ha cambiado: {service}, {date}, {time}. ¿Preguntas? Llame al {phone}.",
        K.APPOINTMENT_CANCELED: "{name}: Su cita se ha cancelado: {service}, {date}, {time}. ¿Preguntas? Llame al "
        "{phone}.",
        K.APPOINTMENT_REMINDER: "{name}: Le recordamos su cita: {service}, {date}, {time}. ¿Cambios? Llame al {phone}.",
        K.ORDER_ALARM: "{name}: El pedido {number} de {total} no se ha aceptado. Por favor, mire las comandas.",
        K.ALERT: "{name}: Alerta: {alert}. {link}",
        K.ALERT_RESOLVED: "{name}: Resuelto: {alert}. {link}",
        K.MENU_LINK: "{name}: Nuestra carta: {link}",
        K.HELP: "{name}: Llame al {phone}. Responda STOP para darse de baja.",
    },
    "fr": {
        K.ORDER_CONFIRMATION: "{name}: Commande no {number}: {items}. Total {total}. Questions? Appelez le {phone}.",
        K.ORDER_READY: "{name}: Vous pouvez retirer votre commande no {number}. Total {total}.",
        K.ORDER_ON_ITS_WAY: "{name}: Votre commande no {number} est en route. Total {total}.",
        K.ORDER_REFUSED: "{name}: Désolés: nous ne pouvons pas préparer la commande no {number}. Questions? Appelez "
        "le {phone}.",
        K.ORDER_CANCELED: "{name}: Votre commande no {number} a été annulée. Questions? Appelez le {phone}.",
        K.APPOINTMENT_CONFIRMATION: "{name}: Votre rendez-vous: {service}, {date}, {time}. Un changement? Appelez le "
        "{phone}.",
        K.APPOINTMENT_MOVED: "{name}: Rendez-vous déplacé: {service}, {date}, {time}. Questions? Appelez le {phone}.",
        K.APPOINTMENT_CANCELED: "{name}: Rendez-vous annulé: {service}, {date}, {time}. Questions? Appelez le {phone}.",
        K.APPOINTMENT_REMINDER: "{name}: Rappel de votre rendez-vous: {service}, {date}, {time}. Un changement? "
        "Appelez le {phone}.",
        K.ORDER_ALARM: "{name}: La commande {number} de {total} n'est pas encore acceptée. Merci de regarder.",
        K.ALERT: "{name}: Alerte: {alert}. {link}",
        K.ALERT_RESOLVED: "{name}: Terminé: {alert}. {link}",
        K.MENU_LINK: "{name}: Voici notre carte: {link}",
        K.HELP: "{name}: Appelez le {phone}. Répondez STOP pour ne plus recevoir de SMS.",
    },
    "it": {
        K.ORDER_CONFIRMATION: "{name}: Ordine n. {number}: {items}. Totale {total}. Domande? Chiami {phone}.",
        K.ORDER_READY: "{name}: Il suo ordine n. {number} è pronto. Totale {total}.",
        K.ORDER_ON_ITS_WAY: "{name}: Il suo ordine n. {number} è in arrivo. Totale {total}.",
        K.ORDER_REFUSED: "{name}: Ci dispiace: non possiamo preparare il suo ordine n. {number}. Domande? Chiami "
        "{phone}.",
        K.ORDER_CANCELED: "{name}: Il suo ordine n. {number} è stato annullato. Domande? Chiami {phone}.",
        K.APPOINTMENT_CONFIRMATION: "{name}: Appuntamento: {service}, {date}, {time}. Modifiche? Chiami {phone}.",
        K.APPOINTMENT_MOVED: "{name}: Appuntamento spostato: {service}, {date}, {time}. Domande? Chiami {phone}.",
        K.APPOINTMENT_CANCELED: "{name}: Appuntamento annullato: {service}, {date}, {time}. Domande? Chiami {phone}.",
        K.APPOINTMENT_REMINDER: "{name}: Le ricordiamo l'appuntamento: {service}, {date}, {time}. Modifiche? Chiami "
        "{phone}.",
        K.ORDER_ALARM: "{name}: L'ordine {number} di {total} non è ancora accettato. Controlli gli ordini.",
        K.ALERT: "{name}: Avviso: {alert}. {link}",
        K.ALERT_RESOLVED: "{name}: Risolto: {alert}. {link}",
        K.MENU_LINK: "{name}: Ecco il nostro menù: {link}",
        K.HELP: "{name}: Chiami {phone}. Risponda STOP per non ricevere più SMS.",
    },
}
