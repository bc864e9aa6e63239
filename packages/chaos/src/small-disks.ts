import { cp, lstat, rename, rm, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type SmallDisk, smallDisk } from '@gatehouse/testkit'
import pg from 'pg'
import { whileBrokerIsDown } from './broker.ts'
import type { Constellation } from './constellation.ts'

/** The broker's streams on a disk of their own; they move back when it is disposed of. Undefined where no disk can be mounted. */
export async function brokerOnSmallDisk(house: Constellation, bytes: number): Promise<SmallDisk | undefined> {
  const disk = await smallDisk({ bytes })
  if (disk === undefined) return undefined
  const store = join(house.servers.natsFolder, 'jetstream')
  await whileBrokerIsDown(house, 'moved to a small disk', async () => {
    await cp(store, join(disk.path, 'jetstream'), { recursive: true })
    await rm(store, { recursive: true })
    await symlink(join(disk.path, 'jetstream'), store)
  })
  return {
    ...disk,
    async [Symbol.asyncDispose]() {
      await disk.free()
      await whileBrokerIsDown(house, 'moved back', async () => {
        await cp(join(disk.path, 'jetstream'), `${store}.back`, { recursive: true })
        if ((await lstat(store)).isSymbolicLink()) await rm(store)
        await rename(`${store}.back`, store)
      })
      await disk[Symbol.asyncDispose]()
    },
  }
}

/** The services' tables on a disk of their own (the log of the database stays where it was); they move back when it is disposed of. */
export async function databaseOnSmallDisk(house: Constellation, bytes: number): Promise<SmallDisk | undefined> {
  const { uid, gid } = await stat(join(house.folder, 'postgres'))
  const disk = await smallDisk({ bytes, owner: { uid, gid } })
  if (disk === undefined) return undefined
  house.history.fault('postgres moved to a small disk')
  await asServer(house, `create tablespace small location '${disk.path}'`)
  await moveTables(house, 'small')
  return {
    ...disk,
    async [Symbol.asyncDispose]() {
      await disk.free()
      house.history.fault('postgres moved back')
      await moveTables(house, 'pg_default')
      await asServer(house, 'drop tablespace small')
      await disk[Symbol.asyncDispose]()
    },
  }
}

/** Only while nobody is connected to the database. */
async function moveTables(house: Constellation, tablespace: string): Promise<void> {
  await Promise.all(house.replicas.map((replica) => replica.term()))
  await asServer(house, `select pg_terminate_backend(pid) from pg_stat_activity where datname = 'gatehouse' and pid <> pg_backend_pid()`)
  await asServer(house, `alter database gatehouse set tablespace ${tablespace}`)
  await Promise.all(house.replicas.map((replica) => replica.start()))
}

/** On no database of the services: theirs is to have no connections. */
async function asServer({ servers }: Constellation, statement: string): Promise<void> {
  const client = new pg.Client(servers.postgres.url)
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
