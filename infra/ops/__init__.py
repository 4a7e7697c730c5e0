"""What an operator does to a stack, without a command line: each command of infra/cli is one of these."""
