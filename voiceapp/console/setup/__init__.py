"""The way from a new organization to its first answered call, step by step."""
