"""What tests of several packages need: factories and waiting for conditions."""
