"""English is the language of the admin; the zone is the organization's (agents/hours/local_time.py)."""
