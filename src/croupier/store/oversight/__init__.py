"""Oversight of the money in the database: incidents, findings, comparisons, recoveries and the audit trail."""
