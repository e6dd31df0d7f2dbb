"""One register-resident computation a file: no threads, no allocation."""
