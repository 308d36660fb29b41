#!/bin/sh
# Write new random passwords into secrets/, where none stands yet. They are never printed.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
[ -s secrets/database_password ] || random > secrets/database_password
[ -s secrets/grafana_password ] || random > secrets/grafana_password
printf 'postgresql://croupier:%s@database/croupier' "$(cat secrets/database_password)" > secrets/database_url
# The processes in the containers are other users than you, and read the files through a bind mount.
chmod 0755 secrets && chmod 0444 secrets/*
echo "secrets/ is ready: database_password, database_url, grafana_password"
