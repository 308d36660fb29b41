"""The auditor: what must hold, asked in SQL, sharing no code with what writes."""
