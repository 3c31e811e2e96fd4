"""The API of the whole product: served, with its local companies, and with somebody who works off the queue."""
