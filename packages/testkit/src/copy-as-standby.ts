import { execFile } from 'node:child_process'
import { chmod, chown, mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { postgresHome } from './postgres-home.ts'

export type StandbyOptions = {
  /** Of the superuser, on the running primary. */
  readonly url: string
  /** By which the standby reaches it, where that is another way. */
  readonly through?: string
  /** The primary's folder. */
  readonly from: string
  /** The standby's; what stands there is forgotten. */
  readonly to: string
  /** Who it is to the primary: of letters and digits, for its connection and its slot. */
  readonly name: string
}

/** Settings of both servers of such a pair, at every start of either. */
export const replicated: Readonly<Record<string, string>> = {
  wal_level: 'replica',
  max_wal_senders: '10',
  max_replication_slots: '10',
  hot_standby: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  wal_receiver_status_interval: '1s',
  wal_retrieve_retry_interval: '200ms',
  // A standby that says nothing is gone.
  wal_sender_timeout: '5s',
  wal_receiver_timeout: '5s',
}

/**
 * Copies a running cluster, so that `startPostgres` over the copy follows it as a hot standby: with nothing but the server, because npm's PostgreSQL has no
 * pg_basebackup (PostgreSQL documentation, "Making a Base Backup Using the Low Level API"). The log from the copy's beginning on is kept in a slot.
 */
export async function copyAsStandby({ url, through = url, from, to, name }: StandbyOptions): Promise<void> {
  if (!/^[a-z0-9]+$/.test(name)) throw new TypeError(`${name} cannot name a slot`)
  const source = await realpath(from)
  const { data, as } = await postgresHome(to)
  await rm(data, { recursive: true, force: true })
  await mkdir(data, { mode: 0o700 })
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query('select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1', [name])
    await client.query('select pg_create_physical_replication_slot($1, true)', [name])
    await client.query("select pg_backup_start('standby', fast => true)")
    // What changes while it is read is mended by the log.
    const copy = `tar -C "$0" --exclude='./pg_wal/*' --exclude='./pg_replslot/*' --exclude='./postmaster.*' -cf - . | tar -C "$1" -xpf -`
    await promisify(execFile)('sh', ['-ec', copy, source, data])
    const { rows } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop(wait_for_archive => false)')
    await writeFile(join(data, 'backup_label'), rows[0]?.labelfile ?? '')
  } finally {
    await client.end()
  }
  await follow(data, through, name)
  await chmod(data, 0o700)
  if (as) for (const path of [data, ...madeHere.map((file) => join(data, file))]) await chown(path, as.uid, as.gid)
}

const madeHere = ['backup_label', 'standby.signal', 'postgresql.auto.conf']

async function follow(data: string, url: string, name: string): Promise<void> {
  const { hostname, port, username, password } = new URL(url)
  const primary = `host=${hostname} port=${port} user=${username} password=${password} application_name=${name} dbname=postgres`
  await writeFile(join(data, 'standby.signal'), '')
  const auto = join(data, 'postgresql.auto.conf')
  // What it was told of its own standbys, and of a primary before this one, ends here: of one name the last line holds.
  const lines = [`primary_conninfo = '${primary}'`, `primary_slot_name = '${name}'`, "synchronous_standby_names = ''"]
  const before = (await readFile(auto, 'utf8').catch(() => ''))
    .split('\n')
    .filter((line) => !/^(primary_|synchronous_standby_names)/.test(line))
  await writeFile(auto, [...before, ...lines, ''].join('\n'))
}
