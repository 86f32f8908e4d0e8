#!/bin/bash
# A PostgreSQL server of a test's own: in FOLDER, at a UNIX socket there, no network, nobody else's user.
#   tools/postgresql.sh available                   whether this machine has one; says why not
#   tools/postgresql.sh create FOLDER               its files; the folder in one that everybody may enter, as /tmp is
#   tools/postgresql.sh start FOLDER                returns when it takes connections
#   tools/postgresql.sh stop FOLDER [fast|immediate]
#   tools/postgresql.sh database FOLDER NAME         a new one, empty
#   tools/postgresql.sh dump FOLDER NAME             what is in one, as SQL
#   tools/postgresql.sh restore FOLDER NAME FILE     puts that, packed with xz, into an empty one
#   tools/postgresql.sh password FOLDER TEXT         makes the user 'locked', who needs it and owns 'postgres'
#   tools/postgresql.sh remove FOLDER
# Then: postgresql:///postgres?host=FOLDER&user=fermata
set -euo pipefail

programs() {
    local folder
    for folder in /usr/lib/postgresql/*/bin /usr/bin; do
        [ ! -x "$folder/initdb" ] || printf '%s\n' "$folder"
    done | sort -V | tail -n 1
}

# PostgreSQL refuses to run as root.
as_somebody() {
    if [ "$(id -u)" -eq 0 ]; then
        setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups "$@"
    else
        "$@"
    fi
}

bin="$(programs)"
case "${1:-}" in
available)
    [ -n "$bin" ] || {
        printf 'no PostgreSQL server is installed (Debian: postgresql)\n'
        exit 1
    }
    exit 0
    ;;
esac
folder="${2:?no folder is named}"
cd /

case "$1" in
create)
    mkdir -p "$folder"
    chmod 700 "$folder"
    [ "$(id -u)" -ne 0 ] || chown nobody "$folder"
    as_somebody "$bin/initdb" -D "$folder/data" -U fermata -A trust -E UTF8 --locale=C -N >"/dev/null"
    as_somebody sed -i '1i local all locked scram-sha-256' "$folder/data/pg_hba.conf"
    as_somebody tee -a "$folder/data/postgresql.conf" >/dev/null <<END
listen_addresses = ''
unix_socket_directories = '$folder'
max_connections = 100
shared_buffers = 16MB
fsync = off
log_timezone = UTC
END
    ;;
start)
    as_somebody "$bin/pg_ctl" -D "$folder/data" -l "$folder/server.log" -w -t 60 -s start >/dev/null
    ;;
stop)
    as_somebody "$bin/pg_ctl" -D "$folder/data" -m "${3:-fast}" -w -t 60 -s stop >/dev/null
    ;;
database)
    "$bin/createdb" -h "$folder" -U fermata "$3"
    ;;
dump)
    "$bin/pg_dump" -h "$folder" -U fermata --no-owner --inserts "$3"
    ;;
restore)
    xz -dc "$4" | "$bin/psql" -h "$folder" -U fermata -q -v ON_ERROR_STOP=1 "$3" >/dev/null
    ;;
password)
    printf "CREATE ROLE locked LOGIN PASSWORD '%s'; ALTER DATABASE postgres OWNER TO locked" "$3" |
        "$bin/psql" -h "$folder" -U fermata -q -v ON_ERROR_STOP=1 postgres
    ;;
remove)
    if as_somebody "$bin/pg_ctl" -D "$folder/data" status >/dev/null 2>&1; then
        as_somebody "$bin/pg_ctl" -D "$folder/data" -m immediate -w -t 60 -s stop >/dev/null
    fi
    rm -rf "$folder"
    ;;
*)
    printf 'unknown: %s\n' "$1" >&2
    exit 2
    ;;
esac
