"""Routes, one group a file: from a request to a use case and back."""
