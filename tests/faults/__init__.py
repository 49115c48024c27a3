"""What may go wrong, and what must then happen: tests by the numbers of docs/faults.md."""
