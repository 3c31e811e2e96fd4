"""Feeds: browsers learn at once that something has changed, in whichever process it did (docs/reference/feeds.md)."""
