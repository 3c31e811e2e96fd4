"""The console's and the call page's texts in several languages: names, catalogs, extraction."""
