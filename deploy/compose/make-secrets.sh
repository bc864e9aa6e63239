#!/bin/sh
# Makes what only this machine's Gatehouse knows, in deploy/secrets. What is there stays as it is, so it can be run again.
# The program that makes workload keys is the auth image's; GATEHOUSE runs it otherwise: GATEHOUSE="npm run --silent gatehouse --".
set -eu
umask 077
cd "$(dirname "$0")/.."
mkdir -p secrets
version=${GATEHOUSE_VERSION:-$(sed -n 's/^GATEHOUSE_VERSION=//p' .env 2>/dev/null || true)}
in_image="docker run --rm --user 0:0 --network none --volume $PWD/secrets:$PWD/secrets ghcr.io/gatehouse/auth:$version packages/cli/src/main.ts"
gatehouse=${GATEHOUSE:-$in_image}

# The folder is closed to everybody but its owner; in a container each file is shown to the one user that it is meant for, whoever that is.
write() { printf '%s' "$2" >"secrets/$1.new" && chmod 444 "secrets/$1.new" && mv -f "secrets/$1.new" "secrets/$1"; }
put() { [ -e "secrets/$1" ] || write "$1" "$2"; }
password() { openssl rand -hex 24; }
key() { openssl rand -base64 32; }

put postgres_password "$(password)"
for service in user auth notification; do
  put "${service}_database_password" "$(password)"
  put "${service}_migrator_password" "$(password)"
  put "${service}_request_key" "$(key)"
  at=postgres:5432/gatehouse
  put "${service}_database_url" "postgres://gatehouse_${service}_a:$(cat secrets/${service}_database_password)@$at"
  put "${service}_migration_url" "postgres://gatehouse_${service}_migrator:$(cat secrets/${service}_migrator_password)@$at"
  put "${service}_nats_url" "nats://${service}:$(password)@nats:4222"
  if [ ! -e "secrets/${service}_workload_key" ]; then
    # Of the service before it is closed already; root does not mind, and whoever runs this without containers may be somebody else.
    [ ! -e secrets/workload_jwks ] || chmod 644 secrets/workload_jwks
    $gatehouse workload-keys create "$service" --jwks "$PWD/secrets/workload_jwks" --key "$PWD/secrets/${service}_workload_key"
    chmod 444 "secrets/${service}_workload_key" secrets/workload_jwks
  fi
done
# Who makes the streams when a release is rolled out; none of the services is it.
put streams_nats_url "nats://streams:$(password)@nats:4222"
put key_encryption_key "$(key)"
put challenge_key "$(key)"

# nats-server reads the same passwords from lines of its own, one for each user of nats/users.conf; a user that nobody is has one that nobody knows.
of() { sed -n "s|^nats://$1:\(.*\)@.*|\1|p" "secrets/$1_nats_url" 2>/dev/null || true; }
# A user that came with a release gets its line when the script runs again; the others keep theirs.
lines=$(
  for name in $(sed -n 's/.*password: \$password_of_\([a-z0-9_]*\).*/\1/p' nats/users.conf); do
    kept=$(sed -n "/^password_of_$name: /p" secrets/nats_passwords 2>/dev/null || true)
    known=$(of "$name")
    printf '%s\n' "${kept:-password_of_$name: \"${known:-$(password)}\"}"
  done
)
[ "$lines" = "$(cat secrets/nats_passwords 2>/dev/null || true)" ] || write nats_passwords "$lines"
[ -e secrets/smtp_password ] || echo "secrets/smtp_password is for you to write: the password that the mail server asks of SMTP_USER (chmod 444)."
