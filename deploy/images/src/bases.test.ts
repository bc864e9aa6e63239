import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { locked, pinned, readBases } from './bases.ts'

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`
const lock = `# bases
build    docker.io/library/node:24.21.0-bookworm-slim  ${digest}
runtime  gcr.io/distroless/cc-debian12:nonroot         -
`

test('the lock that is committed reads, and has the bases that the Dockerfile asks for, of the Node that everything is tested with', () => {
  const bases = readBases()
  assert.deepEqual(
    bases.map(({ name }) => name),
    ['build', 'runtime'],
  )
  const toolchain = readFileSync(new URL('../../../scripts/toolchain.mjs', import.meta.url), 'utf8')
  const version = /'linux-x64': '([\d.]+)'/.exec(toolchain)?.[1]
  assert.equal(bases[0]?.reference, `docker.io/library/node:${version}-bookworm-slim`)
})

test('a base without a digest is refused by name, and bases that have one are built from by it alone', () => {
  assert.throws(() => pinned(readBases(lock)), /has no digest for gcr\.io\/distroless\/cc-debian12:nonroot: /)
  assert.deepEqual(
    [...pinned(readBases(lock.replace(/-$/m, digest)))],
    [
      ['build', `docker.io/library/node@${digest}`],
      ['runtime', `gcr.io/distroless/cc-debian12@${digest}`],
    ],
  )
})

test('a line that pins nothing is none', () => {
  for (const wrong of [
    'build docker.io/library/node:24',
    'build node:24 -',
    'build docker.io/library/node -',
    `build docker.io/a:1 sha256:12`,
  ])
    assert.throws(() => readBases(wrong), /base-images\.lock, line 1: /, wrong)
})

test('locking fills in what is missing, moves what is there, and leaves the rest as it is', async () => {
  const other = digest.replace('0', 'f')
  const asked = await locked(lock, async (reference) => (reference.startsWith('gcr.io') ? `${digest}\n` : other))
  assert.equal(asked, lock.replace(digest, other).replace(/-$/m, digest))
  await assert.rejects(
    locked(lock, async () => 'manifest unknown'),
    /manifest unknown is no digest of docker\.io/,
  )
})
