"""The values of charts: their schema, what is written from it, and the overlays that are laid over them."""
