"""Threads, memory and launches."""
