"""What an operator does with a stack, without a command line; the commands of infra/cli call it."""
