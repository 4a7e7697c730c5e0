"""The HTML report of a run, and the labels that the commands share with it."""
