"""How the server is told to behave: its settings, and the faults that it injects."""
