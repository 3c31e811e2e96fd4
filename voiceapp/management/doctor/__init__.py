"""Checks every integration and reports the fix: what `manage.py doctor` prints."""
