"""What the Claude API's documentation says: its models with their prices and limits, and its errors."""
