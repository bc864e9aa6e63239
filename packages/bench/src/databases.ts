import { type MigrationSet, migrate } from '@gatehouse/postgres'
import pg from 'pg'

/** Makes an empty database on a server, anew where it exists, and answers its URL; the URL that is given is a superuser's. */
export async function makeDatabase(server: string, name: string): Promise<string> {
  const admin = new pg.Client(server)
  await admin.connect()
  try {
    await admin.query(`drop database if exists ${name} with (force)`)
    await admin.query(`create database ${name}`)
    await admin.query(`alter database ${name} set search_path = bench, public`)
  } finally {
    await admin.end()
  }
  return Object.assign(new URL(server), { pathname: `/${name}` }).href
}

/** The same with tables of ours, in the schema `bench`. */
export async function makeMigratedDatabase(server: string, name: string, sets: readonly MigrationSet[]): Promise<string> {
  const url = await makeDatabase(server, name)
  await migrate({ url, schema: 'bench', sets })
  return url
}
