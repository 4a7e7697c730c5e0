"""The command line: one file a command; an error is one sentence on standard error and exit code 2."""
