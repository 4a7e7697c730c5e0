"""The command line: one command a file; what goes wrong is said in a sentence, with exit code 2."""
