#!/usr/bin/env bash
# Starts a PostgreSQL server and a pgbouncer with sockets in the directory $1, prints "ready", and ends both when
# standard input is closed.
set -euo pipefail
directory=$1
as_owner=()
if [ "$(id -u)" -eq 0 ]; then
    # The server refuses to run as root.
    as_owner=(setpriv --reuid postgres --regid postgres --init-groups)
    chown postgres "$directory"
fi
log=$directory/log
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1 || true)
[ -n "$bin" ] || bin=$(dirname "$(command -v initdb)")
servers=()
end() {
    # QUIT ends PostgreSQL at once. pgbouncer keeps nothing, and may have inherited a mask that blocks TERM.
    [ ${#servers[@]} -eq 0 ] || kill -QUIT "${servers[0]}" 2>/dev/null || true
    [ ${#servers[@]} -lt 2 ] || kill -KILL "${servers[1]}" 2>/dev/null || true
    { wait; } 2>/dev/null
    rm -rf "$directory"
}
trap end EXIT

cd "$directory"
"${as_owner[@]}" "$bin/initdb" -D data -A trust -U postgres -E UTF8 --locale C --no-sync >"$log" 2>&1
cat >>data/postgresql.conf <<CONFIGURATION
listen_addresses = ''
port = 5432
unix_socket_directories = '$directory'
max_connections = 800
fsync = off
CONFIGURATION
"${as_owner[@]}" "$bin/postgres" -D data >>"$log" 2>&1 </dev/null &
servers+=($!)
cat >pgbouncer.ini <<CONFIGURATION
[databases]
* = host=$directory port=5432
[pgbouncer]
listen_port = 6432
unix_socket_dir = $directory
auth_type = any
pool_mode = transaction
max_client_conn = 1000
default_pool_size = 8
CONFIGURATION
# auth_type any takes the user from the database entry.
sed -i 's/port=5432$/port=5432 user=app/' pgbouncer.ini
"${as_owner[@]}" "$(command -v pgbouncer || echo /usr/sbin/pgbouncer)" pgbouncer.ini >>"$log" 2>&1 </dev/null &
servers+=($!)
for _ in $(seq 600); do
    if "$bin/pg_isready" -q -h "$directory" -p 5432 && [ -S "$directory/.s.PGSQL.6432" ]; then
        "$bin/psql" -q -h "$directory" -U postgres -c 'CREATE ROLE app LOGIN' >>"$log" 2>&1
        echo ready
        read -r _ || true
        exit 0
    fi
    sleep 0.1
done
cat "$log"
exit 1
