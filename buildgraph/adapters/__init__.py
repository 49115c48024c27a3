"""One module for each outside thing. They see ports and values, never the core's decisions."""
