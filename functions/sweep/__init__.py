"""One Lambda function: its handler."""
