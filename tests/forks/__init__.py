"""pytest in forks of one process that has imported the libraries, for suites that run the same tests again and again."""
