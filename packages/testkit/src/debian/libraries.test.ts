import assert from 'node:assert/strict'
import { test } from 'node:test'
import { librariesOf } from './libraries.ts'

const packages: Record<string, string> = {
  pooler:
    'Section: database\nPre-Depends: init-system (>= 1)\nDepends: perl-common (>= 26), libc6 (>= 2.38), libold9 | libevent-7t64 (>= 2), libtool',
  'libevent-7t64': 'Section: libs\nDepends: libc6 (>= 2.4), libdeep1:any, debconf | debconf-2.0',
  libdeep1: 'Section: libs\nDepends: libevent-7t64, libc6',
  libc6: 'Section: libs',
  libtool: 'Section: devel\nDepends: libnever1',
  libnever1: 'Section: libs',
}

const archive = {
  show: async (names: readonly string[]) =>
    names.flatMap((name) => (packages[name] ? [`Package: ${name}\n${packages[name]}\n`] : [])).join('\n'),
}

test('takes libraries and theirs, once each, and nothing that belongs to an installed system', async () => {
  assert.deepEqual(await librariesOf(archive, 'pooler'), ['libc6', 'libdeep1', 'libevent-7t64'])
})

test('says so when the archive has no such package', async () => {
  await assert.rejects(librariesOf(archive, 'nothing'), { name: 'SetupProblem', message: "Debian's archive has no nothing." })
})
