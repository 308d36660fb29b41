"""Layer 3: questions about what is stored. They read, and never write."""
