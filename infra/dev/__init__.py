"""What keeps the repository: environments, locked requirements, the gate, the benchmarks."""
