"""The API of the whole product: served, with simulators, and with somebody who works off the queue."""
