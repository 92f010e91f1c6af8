"""The kind cluster that the end-to-end suite runs on: made, filled and taken down by `make e2e-up` and `make e2e-down`."""
