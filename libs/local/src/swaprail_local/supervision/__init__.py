"""Processes started, watched, restarted and stopped in order."""
