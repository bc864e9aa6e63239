import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { verifyChain } from '../src/core/audit/verify-chain.ts'
import { chainAfter } from '../src/store/audit-seals.ts'
import { startAuditSealer } from '../src/workers/audit-sealer.ts'
import { act } from './audit-scene.ts'
import { type OpenedDeps, openDeps } from './open-deps.ts'
import { until } from './until.ts'

let opened: OpenedDeps
before(async () => {
  opened = await openDeps()
})
after(async () => opened[Symbol.asyncDispose]())

const start = (program: string, ...args: string[]): ChildProcess =>
  spawn(process.execPath, [new URL(program, import.meta.url).pathname, opened.databaseUrl, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await exited
}

const countOf = async (table: string, tenant: string) =>
  Number(
    (await sql<{ n: bigint }>`select count(*) as n from ${sql.table(table)} where tenant = ${tenant}`.execute(opened.deps.db)).rows[0]?.n,
  )

const sealer = () => startAuditSealer(opened.deps, { pollMs: 1, leaseMs: 500 })

for (const fate of ['killed', 'frozen past its lease and thawed'] as const) {
  test(`a sealer that is ${fate} in the middle of its work leaves one chain with every entry`, async () => {
    const { db } = opened.deps
    const tenant = fate.slice(0, 6)
    const child = start('sealer-process.ts')
    let writing = true
    const written = (async () => {
      let count = 0
      while (writing) await act(db, tenant, String(++count))
      return count
    })()
    try {
      await until(async () => (await countOf('audit_seals', tenant)) > 5)
      child.kill(fate === 'killed' ? 'SIGKILL' : 'SIGSTOP')
      await using other = sealer()
      await until(() => other.holds())
      const soFar = await countOf('audit_seals', tenant)
      await until(async () => (await countOf('audit_seals', tenant)) > soFar + 5)
      child.kill('SIGCONT')
      const soon = await countOf('audit_seals', tenant)
      await until(async () => (await countOf('audit_seals', tenant)) > soon + 20)
      assert.equal(other.holds(), true)
      writing = false
      const count = await written
      await until(async () => (await countOf('audit_seals', tenant)) === count)
      const { findings, last } = await verifyChain(db, { tenant, kept: [] })
      assert.deepEqual(findings, [])
      assert.equal(last, BigInt(count))
    } finally {
      writing = false
      await end(child)
    }
  })
}

test('what was done by a process that is killed before anything is sealed is sealed by another', async () => {
  const tenant = 'crash'
  const child = start('act-process.ts', tenant)
  let told = 0
  try {
    for await (const line of createInterface({ input: child.stdout ?? process.stdin })) {
      told = Number(line)
      if (told >= 10) child.kill('SIGKILL')
    }
  } finally {
    await end(child)
  }
  // The kill can fall between a commit and its word.
  const committed = await countOf('audit_entries', tenant)
  assert.ok(committed >= told, `${committed} of ${told}`)
  assert.equal(await countOf('audit_seals', tenant), 0)
  await using _ = sealer()
  await until(async () => (await countOf('audit_seals', tenant)) === committed)
  const chain = await chainAfter(opened.deps.db, { tenant, after: 0n, limit: 1000 })
  const subjects = new Set(chain.map(({ entry }) => entry?.subject_id))
  for (let i = 1; i <= told; i++) assert.ok(subjects.has(String(i)), String(i))
  assert.deepEqual((await verifyChain(opened.deps.db, { tenant, kept: [] })).findings, [])
})
