"""What clients can do, one verb a file."""
