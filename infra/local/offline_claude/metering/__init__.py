"""What requests use and cost: tokens, prices, the prompt cache, rate limits, the ledger and the bill."""
