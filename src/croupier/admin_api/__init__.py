"""The commands of persons, as the command line and the admin API both carry them out. Spec: operate.md 2, decision 0102."""
