#!/bin/sh
# Run a command while a temporary PostgreSQL of Debian's package `postgresql` is up; its address is in WELLFIT_TEST_POSTGRES.
#
#     scripts/with_postgres.sh cargo test --workspace --features wellfit/sqlite,wellfit/postgres --test storage
#
# The server listens on this machine only, asks for a password, has TLS with a certificate of its own
# (WELLFIT_TEST_POSTGRES_ROOT), and is gone with its data when the command ends.
set -eu
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)
[ -n "$bin" ] || { echo "there is no PostgreSQL: apt-get install postgresql" >&2; exit 2; }
dir=$(mktemp -d) port=${WELLFIT_POSTGRES_PORT:-54322}
# The server refuses to run as root.
if [ "$(id -u)" = 0 ]; then chown postgres "$dir"; as() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
else as() { "$@"; }; fi
trap 'as "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1 || true; rm -r "$dir"' EXIT INT TERM
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
    -addext basicConstraints=critical,CA:FALSE -keyout "$dir/key.pem" -out "$dir/root.pem" 2>/dev/null
chmod 755 "$dir"; chmod 600 "$dir/key.pem"
[ "$(id -u)" = 0 ] && chown postgres "$dir/key.pem" "$dir/root.pem"
printf 'wellfit' > "$dir/password"; chmod 644 "$dir/password"
as "$bin/initdb" -D "$dir/data" -U wellfit -A scram-sha-256 --pwfile="$dir/password" >/dev/null
as "$bin/pg_ctl" -D "$dir/data" -w -l "$dir/data/log" -o "-p $port -k $dir -c listen_addresses=127.0.0.1 -c ssl=on \
    -c ssl_cert_file=$dir/root.pem -c ssl_key_file=$dir/key.pem" start >/dev/null
export WELLFIT_TEST_POSTGRES="postgresql://wellfit:wellfit@127.0.0.1:$port/postgres?sslmode=require&sslrootcert=$dir/root.pem"
"$@"
