"""English is the language of the admin; the zone is the organization's (agents/local_time.py)."""
