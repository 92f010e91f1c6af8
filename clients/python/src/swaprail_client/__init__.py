"""Python client library and the swaprail command."""
