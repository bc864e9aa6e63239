import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { registryObstacle } from './obstacle.mjs'

const foreground = JSON.stringify(import.meta.resolve('./foreground.mjs'))

/** A parent that runs the given program in the foreground, without a terminal. */
function parentOf(program) {
  const source = `import { inForeground } from ${foreground}\nawait inForeground(process.execPath, ['-e', ${JSON.stringify(program)}, 'two words'], {})`
  return spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'inherit'] })
}

test('arguments and the exit code of the program pass through', async () => {
  const parent = parentOf('process.exitCode = process.argv[1] === "two words" ? 7 : 1')
  assert.deepEqual(await once(parent, 'exit'), [7, null])
})

test('a program that dies of a signal takes its parent along with the same', async () => {
  assert.deepEqual(await once(parentOf('process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000)'), 'exit'), [null, 'SIGTERM'])
})

test('the program finishes its clean-up after one SIGINT, although two came at once', async () => {
  const parent = parentOf(`
    let seen = 0
    process.on('SIGINT', () => { seen++; setTimeout(() => { process.exitCode = 10 + seen; clearInterval(timer) }, 200) })
    const timer = setInterval(() => {}, 1000)
    console.log('ready')`)
  await once(parent.stdout, 'data')
  parent.kill('SIGINT')
  parent.kill('SIGINT')
  assert.deepEqual(await once(parent, 'exit'), [11, null])
})

test('an unknown command gets one sentence that lists the commands', async () => {
  const run = spawn(process.execPath, [fileURLToPath(import.meta.resolve('./run.mjs')), 'toString'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  run.stderr.on('data', (text) => {
    said += text
  })
  const [code] = await once(run, 'close')
  assert.equal(code, 1)
  assert.match(said.trim(), /^There is no command "toString"\. The commands are: start, test, .*verify\.$/)
})

test('what npm says becomes a sentence with a way out', () => {
  const sentence = (output) => registryObstacle('npm', output, '/clone').message
  assert.match(
    sentence('npm error code ENOTFOUND\nnpm error network request failed'),
    /^npm cannot reach its registry \(ENOTFOUND\): connect/,
  )
  assert.match(sentence('npm error code SELF_SIGNED_CERT_IN_CHAIN'), /^npm cannot reach its registry \(SELF_SIGNED_CERT_IN_CHAIN\)/)
  assert.match(sentence('npm error nospc ENOSPC: no space left on device'), /^The disk is full: about 2 GB are needed under \/clone/)
  assert.match(sentence('npm error EACCES: permission denied'), /^\/clone cannot be written to \(EACCES\)/)
  assert.match(sentence('something else\nA complete log of this run can be found in: x'), /^npm failed\. It said:\n {2}something else$/)
})
