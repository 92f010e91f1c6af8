"""A mutation score over the core: `make mutation` changes it in one place at a time, and counts what the tests notice."""
