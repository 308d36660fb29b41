"""The audit trail: its links, and their verification."""
