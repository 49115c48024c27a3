"""What must hold of every rendered chart: pure functions that answer with one line for each problem."""
