"""Speech recognition: a grammar of telephone orders with the names of the menu, decoded by pocketsphinx."""
