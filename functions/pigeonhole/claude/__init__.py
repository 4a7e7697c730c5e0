"""What Claude is asked and how its reply is read: pure."""
