"""What the model answers: a completion made from the analysis, in the shape of the schema, as a message."""
