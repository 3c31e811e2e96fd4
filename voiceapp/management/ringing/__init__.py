"""Ring the product from its own command line: what a caller says, how a call is watched, what must be ordered."""
