"""Builds, signs and lands swaps once."""
