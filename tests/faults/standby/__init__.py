"""A real primary and a real synchronous standby, restarted, cut off, lagging, promoted, under the engine's orders."""
