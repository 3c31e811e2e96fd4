"""The order board for a kitchen's tablet: live, with a chime (docs/reference/order-board.md)."""
