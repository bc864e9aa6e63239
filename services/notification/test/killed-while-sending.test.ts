import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { addMail } from '../src/core/deliveries/add-mail.ts'
import { findNotification } from '../src/store/notifications.ts'
import { openScene } from './scene.ts'
import { until } from './until.ts'

test('a process that is killed between sending and writing it down has its mail sent again, under the same Message-ID', async () => {
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  let answers = 0
  // The first mail is read whole and the answer held back: the moment at which nobody can know whether it was taken.
  await using scene = await openScene({ mailServer: { reply: () => (answers++ === 0 ? held.then(() => 'take' as const) : 'take') } })
  const userId = scene.addPerson({ email: 'ada@example.com' })
  const id = await addMail(scene.db, { tenant: scene.tenant, template: 'password_changed', userId })
  const script = fileURLToPath(new URL('send-until-killed.ts', import.meta.url))
  const child = spawn(process.execPath, [script, scene.databaseUrl, String(scene.mailServer.port), userId, '1'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const gone = once(child, 'exit')
  await until('the mail to be read', () => scene.mailServer.read.length === 1)
  child.kill('SIGKILL')
  await gone
  release()
  assert.equal((await findNotification(scene.db, scene.tenant, id))?.state, 'sending')

  scene.startWorker({ leaseSeconds: 1 })
  await until('the mail to be delivered', async () => (await findNotification(scene.db, scene.tenant, id))?.state === 'delivered')
  assert.equal(scene.mailServer.read.length, 2)
  assert.equal(scene.mailServer.read[0]?.messageId, scene.mailServer.read[1]?.messageId)
})
