"""Texts of a language come from voiceapp/locale; here stands how it writes dates. The zone is the organization's."""
