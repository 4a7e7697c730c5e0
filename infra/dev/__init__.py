"""Development of this repository: environments, locked requirements, the checks, benchmarks, references."""
