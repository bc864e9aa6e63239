import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { debianMirror } from './apt-sources.ts'

async function mirrorOf(files: Record<string, string>): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-apt-'))
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true })
      await writeFile(join(folder, name), text)
    }
    return await debianMirror(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('reads a one-line source with options', async () => {
  const text =
    '# a comment\ndeb-src http://a.example/debian bookworm main\ndeb [arch=amd64 signed-by=/k/a.gpg,/k/b.gpg] http://m.example/debian/ bookworm main\n'
  assert.deepEqual(await mirrorOf({ 'sources.list': text }), { uri: 'http://m.example/debian/', keyrings: ['/k/a.gpg', '/k/b.gpg'] })
})

test('reads a deb822 source and passes over comments, disabled stanzas, other archives and security', async () => {
  const text = `Types: deb
URIs: http://off.example/debian
Suites: bookworm
Enabled: no

Types: deb
URIs: http://s.example/debian
Suites: bookworm-security

Types: deb deb-src
# where it was made from
URIs: http://d.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /k/debian.gpg
`
  const other = 'deb https://other.example/apt stable main\n'
  assert.deepEqual(await mirrorOf({ 'sources.list.d/a.list': other, 'sources.list.d/debian.sources': text }), {
    uri: 'http://d.example/debian',
    keyrings: ['/k/debian.gpg'],
  })
})

test('takes no key ring from a key that stands in the source itself', async () => {
  const text = 'Types: deb\nURIs: https://m.example/debian\nSuites: trixie\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINB\n'
  assert.deepEqual(await mirrorOf({ 'sources.list.d/m.sources': text }), { uri: 'https://m.example/debian', keyrings: [] })
})

test('finds nothing on a machine with other sources only', async () => {
  assert.equal(await mirrorOf({ 'sources.list': 'deb http://archive.example/ubuntu noble main\n' }), undefined)
})
