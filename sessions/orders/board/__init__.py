"""The order board: how long orders take now, and who is alarmed (docs/reference/order-board.md)."""
