"""Looks at every integration and says what to mend: what `manage.py doctor` prints."""
