"""Our words and the public row: frozen values, no input, no output, no clock."""
