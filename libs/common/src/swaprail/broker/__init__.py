"""Redis streams: groups, publishing, claiming, dead letters."""
