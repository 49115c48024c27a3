"""A Kubernetes node of one's own: compiled from Go modules, run in a Debian root, given images from the store."""
