import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { type House, until } from './house.ts'

/** Runs the example as somebody's service, and holds it to what it says. */
export async function seeExample(
  house: House,
  { cwd, program, name, email }: { cwd: string; program: string; name: string; email: string },
): Promise<void> {
  const { userId, accessToken } = await house.person(email, '--name', name)
  const environment = join(dirname(house.local.adminTokenFile), 'env/example.env')
  const example = spawn(process.execPath, [`--env-file=${environment}`, program, accessToken], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(example, 'close')
  let said = ''
  for (const stream of [example.stdout, example.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  const says = (line: string) =>
    until(`"${line}"`, () => {
      if (example.exitCode !== null) throw new Error(`the example ended: ${said}`)
      return said.includes(`${line}\n`) || undefined
    })
  try {
    await says(`The token belongs to ${name} <${email}>`)
    await says(`${userId} of default is new`)
    const changed = await house.call('UserService/UpdateUser', { id: userId, name: `${name} Again` }, { token: accessToken })
    assert.equal(changed.status, 200)
    await says(`${userId} of default changed name (version 2)`)
  } finally {
    example.kill('SIGINT')
  }
  assert.deepEqual(await ended, [0, null], said)
}
