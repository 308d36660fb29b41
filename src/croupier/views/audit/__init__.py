"""The auditor: the invariants, checked in SQL, without code of the writers."""
