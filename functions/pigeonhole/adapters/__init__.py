"""Everything that touches the outside: AWS through boto3, Claude through its SDK, the log, the clock."""
