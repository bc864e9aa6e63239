import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { programForTest } from '@gatehouse/testkit'
import { stringify } from 'yaml'
import { expressions, ruleFiles } from './alert-rules.ts'
import { cases, type PromtoolTest, promtoolTest } from './promtool-tests.ts'

const run = promisify(execFile)
const files = ruleFiles.map((file) => fileURLToPath(file))

/** What promtool says of files, and whether it is content; the command names those that it is to read. */
async function ask(
  promtool: string,
  words: readonly string[],
  texts: Readonly<Record<string, string>>,
): Promise<{ content: boolean; said: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-promtool-'))
  try {
    for (const [name, text] of Object.entries(texts)) await writeFile(join(folder, name), text)
    const { stdout, stderr } = await run(promtool, words, { cwd: folder })
    return { content: true, said: stdout + stderr }
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    return { content: false, said: `${stdout}${stderr}` || String(error) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const check = (promtool: string, exprs: readonly string[]) =>
  ask(promtool, ['check', 'rules', 'asked.yaml'], {
    'asked.yaml': stringify({ groups: [{ name: 'asked', rules: exprs.map((expr, at) => ({ record: `asked:${at}`, expr })) }] }),
  })

const show = (promtool: string, all: readonly PromtoolTest[]) =>
  ask(
    promtool,
    ['test', 'rules', ...all.map(({ name }) => `${name}.test.yaml`)],
    Object.fromEntries(
      all.flatMap(({ name, rules, test }) => [
        [`${name}.rules.yaml`, rules],
        [`${name}.test.yaml`, test],
      ]),
    ),
  )

test('promtool reads the rules, and every expression of the dashboards', async (t) => {
  const promtool = await programForTest(t, 'promtool')
  if (!promtool) return
  await run(promtool.path, ['check', 'rules', ...files])
  const { content, said } = await check(
    promtool.path,
    expressions().map(({ expr }) => expr),
  )
  assert.ok(content, said)
  assert.equal((await check(promtool.path, ['sum by (job) (rate(up[5m])'])).content, false, 'it would take anything')
})

test('every alert fires when it is to, and is silent just before', async (t) => {
  const promtool = await programForTest(t, 'promtool')
  if (!promtool) return
  const { content, said } = await show(
    promtool.path,
    Object.entries(cases).map(([alert, each]) => promtoolTest(alert, each)),
  )
  assert.ok(content, said)
  const { fires, quiet } = cases.GatehouseOutboxOld ?? assert.fail()
  assert.equal(
    (await show(promtool.path, [promtoolTest('GatehouseOutboxOld', { fires: quiet, quiet: fires })])).content,
    false,
    'it would take anything',
  )
})
