import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { root } from '@gatehouse/local'
import { bringDebianProgram } from '@gatehouse/testkit'

// deploy/kind/try.sh with kustomize, and a kubectl that says yes to everything and writes down what it was asked: the order, and of which images.

const run = promisify(execFile)
const services = ['user', 'auth', 'notification', 'console']
const digest = (service: string) => `sha256:${services.indexOf(service) + 1}${'0'.repeat(63)}`

const kubectl = `#!/bin/sh
case "$*" in
  *exitCode*) echo "$SMOKE" ;;
  'get --raw'*) echo '{ "keys": [] }' ;;
  *'-f -') cat > /dev/null ;;
  'apply -f '*) echo "$2 $(basename "$3" .yaml) $(grep -oE '(image|name): (registry.test/|user-migrate-).*' "$3" | sed 's/.*: //' | sort -u | paste -sd' ')" >> "$ASKED" ;;
  *'gateway run '*) echo "run $4" >> "$ASKED" ;;
  *'rollout undo '*) echo "undo $5" >> "$ASKED" ;;
esac
`

let folder: string
let commit: string
let kustomize: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-try-'))
  await mkdir(join(folder, 'digests'))
  await writeFile(join(folder, 'kubectl'), kubectl, { mode: 0o755 })
  // The Secrets have a test of their own.
  await writeFile(join(folder, 'npm'), '#!/bin/sh\n', { mode: 0o755 })
  for (const service of services) await writeFile(join(folder, 'digests', service), `${digest(service)}\n`)
  commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
  const brought = await bringDebianProgram('kustomize')
  if (brought.path === undefined) throw new Error(brought.why)
  kustomize = brought.path
})
after(() => rm(folder, { recursive: true, force: true }))

async function tried(args: readonly string[], smoke = '0'): Promise<readonly string[]> {
  const asked = join(folder, 'asked')
  await writeFile(asked, '')
  const env = {
    ...process.env,
    PATH: [folder, dirname(kustomize), process.env.PATH].join(delimiter),
    ASKED: asked,
    SMOKE: smoke,
  }
  await run(join(root, 'deploy/kind/try.sh'), ['registry.test', join(folder, 'digests'), ...args], { env })
  return (await readFile(asked, 'utf8')).trim().split('\n')
}

test('from the release before to the new one and back, one service after the other, and then all for good', async () => {
  const asked = await tried([commit])
  const applied = asked.filter((line) => line.startsWith('-f user '))
  const [old, fresh] = [`registry.test/user:${commit} user-migrate-old`, `registry.test/user@${digest('user')} user-migrate-new`]
  assert.deepEqual(applied, [`-f user ${old}`, `-f user ${fresh}`, `-f user ${fresh}`])
  const upgraded = ['user', 'auth', 'notification'].flatMap((service) => [
    `run knock-${service}`,
    `-f ${service}`,
    `undo deployment/${service}`,
  ])
  assert.deepEqual(
    asked.map((line) => line.replace(/^(-f \w+) .*/, '$1').trim()),
    [
      ...['namespace', 'dependencies', ...services].map((unit) => `-f ${unit}`),
      'run journey',
      ...['namespace', 'dependencies'].map((unit) => `-f ${unit}`),
      ...upgraded,
      ...services.map((unit) => `-f ${unit}`),
      'run journey-again',
    ],
  )
})

test('ends where one call failed; without a release before, the new images come from themselves', async () => {
  await assert.rejects(tried([], '1'), { code: 1 })
  const asked = (await readFile(join(folder, 'asked'), 'utf8')).trim().split('\n')
  assert.equal(asked.at(-1), 'run journey')
  const applied = asked.filter((line) => line.startsWith('-f user '))
  assert.deepEqual(applied, [`-f user registry.test/user@${digest('user')} user-migrate-old`])
})
