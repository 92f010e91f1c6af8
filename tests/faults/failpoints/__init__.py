"""Named failpoints between every two effects of the engine: a service dies before or after each, for real."""
