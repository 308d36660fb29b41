"""Layer 2: PostgreSQL. The only importer of the driver; SQL stands beside the function that runs it."""
