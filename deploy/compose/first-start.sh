#!/bin/sh
# Postgres runs this once, when its volume is empty: the database, the roles and the schemas, as deploy/postgres says.
set -eu
psql=psql\ --no-psqlrc\ --set=ON_ERROR_STOP=1\ --username=postgres
$psql --command="create database gatehouse template template0 encoding 'UTF8' locale 'C'"
$psql --dbname=gatehouse --file=/gatehouse/roles.sql --file=/gatehouse/schemas.sql
# psql reads the passwords itself: what stands in a command line can be read by others.
for service in user auth notification; do
  $psql <<SQL
\\set login \`cat /run/secrets/${service}_database_password\`
\\set migrator \`cat /run/secrets/${service}_migrator_password\`
alter role gatehouse_${service}_a password :'login';
alter role gatehouse_${service}_migrator password :'migrator';
SQL
done
