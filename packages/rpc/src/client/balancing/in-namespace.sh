#!/bin/sh
# Runs a command where loopback, and who answers for names, are its own: $1 is the name server's address. Nothing outside of the namespaces changes.
set -eu
resolv=$(mktemp)
printf 'nameserver %s\noptions timeout:1 attempts:2\n' "$1" > "$resolv"
shift
ip link set lo up
mount --bind "$resolv" /etc/resolv.conf
rm "$resolv"
exec "$@"
