"""Figures: what the tool survives, counted (`python -m tests.figures`)."""
