import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { CommandFailed, CommandProblem } from '@gatehouse/cli'
import { ConfigError } from '@gatehouse/config'
import { eventMigrations } from '@gatehouse/events'
import { connect, sharedMigrations } from '@gatehouse/postgres'
import { testDatabase } from '@gatehouse/testkit'
import { sql } from 'kysely'
import { importCommand } from './import-command.ts'
import { migrations } from './store/migrations/index.ts'

const database = await testDatabase({ service: 'user', sets: [sharedMigrations, eventMigrations, migrations] })
const folder = await mkdtemp(join(tmpdir(), 'gatehouse-import-'))
after(async () => {
  await database[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

/** Runs the command on a file with these lines; answers what it printed, and what it complained of. */
async function run(lines: readonly string[], ...args: string[]): Promise<{ printed: string; complaints: string; problem: unknown }> {
  const file = join(folder, 'people.ndjson')
  await writeFile(file, lines.join('\n'))
  const said = { stdout: '', stderr: '' }
  const writes = { stdout: process.stdout.write, stderr: process.stderr.write }
  let problem: unknown
  for (const name of ['stdout', 'stderr'] as const) {
    // The test runner reports over standard output too, in bytes.
    process[name].write = (chunk: string | Uint8Array, ...rest: never[]) => {
      if (typeof chunk !== 'string') return writes[name].call(process[name], chunk, ...rest)
      said[name] += chunk
      return true
    }
  }
  try {
    await importCommand.run([file, ...args], { GATEHOUSE_MODE: 'test', DATABASE_URL: database.url })
  } catch (error) {
    problem = error
  } finally {
    process.stdout.write = writes.stdout
    process.stderr.write = writes.stderr
  }
  return { printed: said.stdout, complaints: said.stderr, problem }
}

test('a file comes in, and again changes nothing', async () => {
  const lines = ['{"name":"Ada","email":"ada@example.com"}', '{"name":"Bob","email":"bob@example.com"}']
  const first = await run(lines)
  assert.equal(first.printed, "2 lines: 2 imported, 0 were there, 0 with somebody else's address or id, 0 bad\n")
  assert.deepEqual([first.complaints, first.problem], ['', undefined])
  assert.equal((await run(lines)).printed, "2 lines: 0 imported, 2 were there, 0 with somebody else's address or id, 0 bad\n")
})

test('bad lines are complained of apart from the result, without saying whom they are about', async () => {
  const { printed, complaints, problem } = await run(['{"name":"Eve","email":"secret"}', '{"name":"Eve","email":"eve@example.com"}'])
  assert.match(printed, /1 imported.*1 bad/)
  assert.match(complaints, /^line 1 breaks a rule: email .*\n$/)
  assert.ok(!complaints.includes('secret') && !complaints.includes('Eve'))
  assert.ok(problem instanceof CommandFailed)
})

test('what the operator can mend is said in a sentence', async () => {
  const env = { GATEHOUSE_MODE: 'test', DATABASE_URL: database.url }
  for (const args of [[], ['a', 'b'], ['--what']]) await assert.rejects(importCommand.run(args, env), CommandProblem, args.join(' '))
  for (const file of [join(folder, 'missing'), folder]) await assert.rejects(importCommand.run([file], env), CommandFailed, file)
  await assert.rejects(importCommand.run(['-', '--tenant', 'acme'], env), ConfigError, 'auth has to be asked for the tenant')
  await assert.rejects(importCommand.run([join(folder, 'people.ndjson')], {}), ConfigError)
})

test('an error of Postgres ends the command with a sentence and no stack', async () => {
  await using connected = connect({ url: database.url })
  const rename = (from: string, to: string) => sql`alter table ${sql.table(from)} rename to ${sql.table(to)}`.execute(connected.kysely)
  await rename('outbox', 'outbox_elsewhere')
  const { problem } = await run(['{"name":"Zoe","email":"zoe@example.com"}'])
  await rename('outbox_elsewhere', 'outbox')
  assert.ok(problem instanceof CommandFailed)
  assert.match(problem.message, /SQLSTATE 42P01.*Run the same file again/)
})

test('what the operator wrote is not repeated raw', async () => {
  const env = { GATEHOUSE_MODE: 'test', DATABASE_URL: database.url }
  await assert.rejects(importCommand.run(['\u202emissing'], env), { message: '\\u{202e}missing cannot be read.' })
})
