"""`{% script_texts "voiceapp/call" %}`: the texts of a folder's, or one file's, scripts in the page's language."""

from __future__ import annotations

from django import template
from django.utils.html import json_script
from django.utils.safestring import SafeString

from voiceapp.core.translations.scripts import translated_texts

register = template.Library()


@register.simple_tag
def script_texts(*paths: str) -> SafeString:
    """Data, not a script: the content policy allows it. static/voiceapp/texts.mjs reads it."""
    return json_script(translated_texts(*paths), "script-texts")
