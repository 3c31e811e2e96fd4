"""The usual voices, models and languages that an agent's form offers; each takes any other value as well."""

from __future__ import annotations

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.forms import Widget
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.tenant_admin.choice_or_other import ChoiceOrOther
from voiceapp.providers.openai.fields import TRANSCRIBED

# Languages that Django does not name, by ISO 639-1.
MORE_LANGUAGES = {"mi": _("Maori"), "tl": _("Tagalog"), "zh": _("Chinese")}


def suggestions_for(field: str) -> Widget | None:
    """The widget of a persona's field; None for a field without suggestions."""
    match field:
        case "voice":
            default = ("", gettext("Server default (%(openai_voice)s)") % {"openai_voice": settings.OPENAI_VOICE})
            voices = [(name, name.capitalize()) for name in settings.OPENAI_VOICES]
            return ChoiceOrOther([default, *voices], label=gettext("Other voice, like voice_…"))
        case "model":
            default = (
                "",
                gettext("Server default (%(openai_realtime_model)s)")
                % {"openai_realtime_model": settings.OPENAI_REALTIME_MODEL},
            )
            return ChoiceOrOther(
                [default, *((name, name) for name in settings.OPENAI_REALTIME_MODELS)], label=gettext("Other model")
            )
        case "language":
            return ChoiceOrOther(languages(), label=gettext("Other language, like pt-BR"))
    return None


def languages() -> list[tuple[str, str]]:
    """Those that OpenAI transcribes, by name."""
    named = {code: MORE_LANGUAGES.get(code) or str(LANG_INFO.get(code, {}).get("name", "")) for code in TRANSCRIBED}
    return sorted(((code, f"{name} ({code})") for code, name in named.items() if name), key=lambda each: each[1])
