"""The lifecycle of one run of one upload: values and transitions, pure."""
