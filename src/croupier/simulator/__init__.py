"""A simulation of the whole hub in one process, on virtual time, from one seed."""
