import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { withLoader } from './elf.ts'

const run = promisify(execFile)
const skip = process.platform !== 'linux' && 'programs of other systems are no ELF files'
let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse elf '))
})
after(() => rm(folder, { recursive: true, force: true }))

async function program(interpreter: string): Promise<string> {
  const file = join(folder, `echo-${interpreter.length}`)
  await writeFile(file, withLoader(await readFile(await realpath('/bin/echo')), { interpreter, libraryPath: join(folder, 'libraries') }), {
    mode: 0o755,
  })
  return file
}

const loaderOf = async (file: string): Promise<string> =>
  /\/[\w/.-]*\/ld-linux[\w.-]*/.exec((await readFile(file)).toString('latin1', 0, 8192))?.[0] ?? ''

test('a program starts by the loader that is written into it, and looks for libraries where it is told', { skip }, async () => {
  const loader = join(folder, 'a loader of its own')
  await copyFile(await loaderOf('/bin/echo'), loader)
  const file = await program(loader)
  const { stdout } = await run(file, ['here'], { env: { LD_DEBUG: 'libs' } }).then(
    (said) => ({ stdout: said.stdout + said.stderr }),
    (error: Error) => assert.fail(error),
  )
  assert.match(stdout, /here/)
  assert.ok(stdout.includes(join(folder, 'libraries')), stdout)
})

test('a program whose loader is missing does not start', { skip }, async () => {
  await assert.rejects(run(await program(join(folder, 'no such loader')), ['here']), { code: 'ENOENT' })
})

test('refuses what is no program', () => {
  assert.throws(() => withLoader(Buffer.from('#!/bin/sh\n'), { interpreter: '/x', libraryPath: '/y' }), { name: 'TypeError' })
})
