"""What every service process needs to start, supervise and stop."""
