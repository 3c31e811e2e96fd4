"""How Django writes dates and times: one format for the whole product, with a clock of 24 hours."""
