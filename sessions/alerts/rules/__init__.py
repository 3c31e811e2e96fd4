"""The rules, each in its module: what it finds out about an organization now."""
