"""The API of the whole product: served, with simulators, and with a worker."""
