"""What installations meet that run the engine for years: each kind against the real server or client."""
