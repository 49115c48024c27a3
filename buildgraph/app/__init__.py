"""Use cases. The only place that makes adapters and hands them to the core."""
