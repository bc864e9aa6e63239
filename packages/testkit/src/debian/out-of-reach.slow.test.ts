import assert from 'node:assert/strict'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { freePort } from '../free-port.ts'
import { bringDebianProgram } from './bring-program.ts'

/** What the apt of this machine makes of an archive at a port of this machine. */
async function broughtFrom(port: number): Promise<{ readonly why: string; readonly outOfReach: boolean }> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-no-debian-'))
  try {
    await writeFile(join(folder, 'sources.list'), `deb http://127.0.0.1:${port}/debian trixie main\n`)
    // On this PATH there is apt, where the machine has one, and nothing that would be found without it.
    for (const program of ['apt-get', 'apt-cache']) await symlink(`/usr/bin/${program}`, join(folder, program))
    const brought = await bringDebianProgram('kustomize', { aptFolder: folder, cacheDir: join(folder, 'cache'), path: folder })
    return brought.path === undefined ? brought : assert.fail(`${brought.path} came from nowhere`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

test('apt says of an archive that does not answer that it is out of reach, and of one that answers nonsense that it is broken', async () => {
  const nobody = await broughtFrom(await freePort())
  assert.equal(nobody.outOfReach, true, nobody.why)
  await using server = createServer((_, response) => void response.writeHead(404).end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const nonsense = await broughtFrom((server.address() as AddressInfo).port)
  // Without an apt there is nobody to ask in either case.
  assert.equal(nonsense.outOfReach, nonsense.why.includes('ENOENT'), nonsense.why)
})
