"""Scripts that show one thing each; all of them run as `python -m examples.NAME`."""
