"""Asks every venue and chooses: what routing an order and answering a quote request share."""
