"""Layer 6: puts the parts together. The only place that knows them all."""
