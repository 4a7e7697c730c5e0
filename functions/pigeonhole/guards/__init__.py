"""Who may work and what it may cost: leases, budget, circuit breaker, and the call that they guard."""
