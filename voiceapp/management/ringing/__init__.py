"""Test calls from the command line: the caller's script, the live view of a call, the comparison of the order."""
