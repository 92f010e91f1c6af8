"""WebSocket clients under fire: cut, moved between replicas, their notifiers killed; and clients that never read."""
