"""What the API reads and writes, as JSON. Amounts are decimal strings beside integers of base units."""
