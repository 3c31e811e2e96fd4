"""The languages that voiceapp has texts in, by their codes. Imports nothing: the settings read it."""

from __future__ import annotations

# Of texts to customers, and of the agent's own sentences. By their English names, which catalogs translate.
ENGLISH_NAMES = {"en": "English", "de": "German", "es": "Spanish", "fr": "French", "it": "Italian"}
# Of the console and the call page: one catalog each in voiceapp/locale. Named as their speakers look for them.
CONSOLE_LANGUAGES = (("en", "English"), ("de", "Deutsch"), ("es", "Español"), ("fr", "Français"))
# Those that have a catalog: English stands in the code.
TRANSLATED = tuple(code for code, _ in CONSOLE_LANGUAGES if code != "en")
