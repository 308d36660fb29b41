"""Layer 3: read-only queries about stored data."""
