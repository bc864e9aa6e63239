import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { CommandFailed, CommandProblem } from '@gatehouse/cli'
import { sql } from 'kysely'
import { auditCommands } from '../src/audit-commands.ts'
import { commands } from '../src/commands.ts'
import { act, asSuperuser } from './audit-scene.ts'
import { openStory, type Story } from './open-story.ts'
import { until } from './until.ts'

let story: Story
before(async () => {
  story = await openStory()
})
after(async () => story[Symbol.asyncDispose]())

const tenant = 'default'

/** Runs a command in this process; answers the lines that it printed. */
async function gatehouse(name: string, args: string[] = [], more: Record<string, string> = {}): Promise<string[]> {
  const command = [...auditCommands, ...commands].find((each) => each.name === name)
  assert.ok(command, name)
  const printed: string[] = []
  const { write } = process.stdout
  // The test runner reports over standard output too, in bytes.
  process.stdout.write = (chunk: string | Uint8Array, ...rest: never[]) => {
    if (typeof chunk !== 'string') return write.call(process.stdout, chunk, ...rest)
    printed.push(chunk)
    for (const each of rest as unknown[]) if (typeof each === 'function') each()
    return true
  }
  try {
    await command.run(args, { ...story.environment, GATEHOUSE_MODE: 'local', ...more })
  } finally {
    process.stdout.write = write
  }
  return printed
    .join('')
    .split('\n')
    .filter((line) => line !== '')
}

const everythingSealed = () =>
  until(async () => (await sql`select from audit_unsealed where tenant = ${tenant}`.execute(story.db)).rows.length === 0)

test('what an operator does at a command is in the log, and the log is exported, signed, verified and pruned by commands', async () => {
  await using parts = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-audit-'))
  parts.defer(() => rm(folder, { recursive: true }))
  await gatehouse('keys rotate', ['--now'])
  await gatehouse('audiences add', ['orders'])
  await everythingSealed()
  const exported = (await gatehouse('audit export')).map((line) => JSON.parse(line) as Record<string, unknown>)
  const byOperator = exported.filter(({ actor_kind }) => actor_kind === 'operator')
  assert.deepEqual(
    byOperator.map(({ kind, subject_id }) => [kind, kind === 'audience_add' ? subject_id : '']),
    [
      ['key_rotate', ''],
      ['audience_add', 'orders'],
    ],
  )
  assert.deepEqual(await gatehouse('audit export', ['--since', '2999-01-01T00:00:00Z']), [])

  const checkpoints = await gatehouse('audit checkpoints', ['--now'])
  assert.match(checkpoints[0] ?? '', /^ey[\w-]+\.[\w-]+\.[\w-]+$/)
  const file = join(folder, 'kept')
  await writeFile(file, checkpoints.join('\n'))
  assert.match((await gatehouse('audit verify', ['--checkpoints', file]))[0] ?? '', /are as they were sealed/)
  assert.match((await gatehouse('audit verify'))[1] ?? '', /nobody can tell whether the end was cut off/)

  await act(story.db, tenant, 'later')
  await everythingSealed()
  const before = ['--before', '2999-01-01T00:00:00Z']
  const owner = { AUDIT_OWNER_DATABASE_URL: story.adminDatabaseUrl }
  await assert.rejects(gatehouse('audit prune', before), CommandProblem)
  await assert.rejects(gatehouse('audit prune', ['--before', 'yesterday'], owner), CommandProblem)
  await assert.rejects(gatehouse('audit prune', ['--before', '2000-01-01T00:00:00Z'], owner), CommandFailed)
  await assert.rejects(gatehouse('audit prune', before, { AUDIT_OWNER_DATABASE_URL: story.environment.DATABASE_URL ?? '' }))
  assert.match((await gatehouse('audit prune', before, owner))[0] ?? '', /entries of default are removed/)
  await everythingSealed()
  assert.match((await gatehouse('audit verify', ['--checkpoints', file]))[0] ?? '', /are as they were sealed/)
  const left = (await gatehouse('audit export')).map((line) => (JSON.parse(line) as { kind: string }).kind)
  assert.deepEqual(left, ['test', 'audit_prune', 'audit_prune'])

  await using superuser = asSuperuser(story.adminDatabaseUrl)
  await sql`update audit_entries set subject_id = 'x' where kind = 'test'`.execute(superuser.kysely)
  await assert.rejects(
    gatehouse('audit verify'),
    (error) => error instanceof CommandFailed && /was changed, inserted or moved/.test(error.message),
  )
})
