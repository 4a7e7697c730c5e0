"""What builds, tries, measures and runs Pigeonhole; the functions never import it."""
