"""The command line: verbs, options, output and exit codes."""
