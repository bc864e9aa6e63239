import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, chown, mkdir, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type pg from 'pg'
import { asSuperuser } from './as-superuser.ts'
import { until } from './house.ts'

const page = readFile(new URL('../../../docs/operations.md', import.meta.url), 'utf8')

/** Backs a cluster up and restores it with the very lines that docs/operations.md gives to operators. */
export class RestoredByThePage {
  readonly #url: string
  readonly #dataDir: string
  readonly #backups: string

  constructor({ url, dataDir, backups }: { /** A superuser's. */ url: string; dataDir: string; backups: string }) {
    this.#url = url
    this.#dataDir = dataDir
    this.#backups = backups
  }

  /** Postgres is to be restarted after it. */
  async archive(): Promise<void> {
    await mkdir(join(this.#backups, 'wal'), { recursive: true })
    for (const path of [this.#backups, join(this.#backups, 'wal')]) await chmod(path, 0o777)
    await asSuperuser(this.#url, (client) => this.#statements(client, 'archive'), 'postgres')
  }

  async takeBaseBackup(): Promise<void> {
    const act = async (client: pg.Client) => {
      await this.#statements(client, 'backup-start')
      await this.#shell('backup-copy')
      const [stopped] = await this.#statements(client, 'backup-stop')
      await writeFile(join(this.#backups, 'base', 'backup_label'), stopped?.rows[0]?.labelfile)
    }
    await asSuperuser(this.#url, act, 'postgres')
  }

  /** Gives the moment a name, and waits until the log up to it is archived. */
  async name(moment: string): Promise<void> {
    const act = async (client: pg.Client) => {
      await client.query('select pg_create_restore_point($1)', [moment])
      const { rows } = await client.query<{ file: string }>('select pg_walfile_name(pg_switch_wal()) as file')
      await until('the log to be archived', async () => (await readdir(join(this.#backups, 'wal'))).includes(rows[0]?.file ?? ''))
    }
    await asSuperuser(this.#url, act, 'postgres')
  }

  /** While Postgres is stopped: empties its folder, and has it begin with the backup. */
  async restore(moment: string): Promise<void> {
    const data = await realpath(this.#dataDir)
    const { uid, gid } = await stat(data)
    for (const file of await readdir(data)) await rm(join(data, file), { recursive: true })
    await this.#shell('restore', { RECOVERY_TARGET: `recovery_target_name = '${moment}'` })
    for (const file of ['recovery.signal', 'backup_label', 'postgresql.auto.conf']) await chown(join(data, file), uid, gid)
  }

  /** Once it is up. */
  async restored(): Promise<void> {
    await asSuperuser(this.#url, (client) => this.#statements(client, 'restored'), 'postgres')
  }

  async endAllSessions(): Promise<void> {
    await asSuperuser(this.#url, (client) => this.#statements(client, 'end-all-sessions'))
  }

  async #guidance(name: string): Promise<string> {
    const [, lines] = new RegExp(`<!-- ${name} -->\\n *\`\`\`\\w+\\n(.*?)\\n *\`\`\``, 's').exec(await page) ?? []
    assert.ok(lines, `docs/operations.md has no lines for ${name}`)
    return lines.replaceAll('/var/backups/gatehouse', this.#backups).replace(/^ +/gm, '')
  }

  async #shell(name: string, env: Record<string, string> = {}): Promise<void> {
    const options = { env: { PATH: process.env.PATH ?? '', PGDATA: await realpath(this.#dataDir), ...env } }
    await promisify(execFile)('sh', ['-ec', await this.#guidance(name)], options)
  }

  async #statements(client: pg.Client, name: string): Promise<pg.QueryResult[]> {
    const results: pg.QueryResult[] = []
    for (const statement of (await this.#guidance(name)).split(';\n')) results.push(await client.query(statement))
    return results
  }
}
