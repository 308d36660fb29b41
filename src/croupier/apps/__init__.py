"""Layer 6: the programs. They join the parts, and are the only code that knows all of them."""
