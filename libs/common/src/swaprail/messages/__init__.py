"""Wire types of the topics and the WebSocket."""
