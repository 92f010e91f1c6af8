"""Streams order events over WebSocket."""
