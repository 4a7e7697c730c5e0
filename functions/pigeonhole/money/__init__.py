"""What a call costs and what may still be spent: pure."""
