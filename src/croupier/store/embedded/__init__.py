"""The embedded PostgreSQL: its server, directory, account, access and watcher."""
