"""buildgraph: families of Docker images, built once per layer and composed."""

__version__ = "0.1.0"
