"""What the host is, and how code for it is emitted and compiled."""
