import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { CommandFailed, CommandProblem } from '@gatehouse/cli'
import { v7 as uuidv7 } from 'uuid'
import { openScene } from '../test/scene.ts'
import { until } from '../test/until.ts'
import { commands } from './commands.ts'
import { addMail } from './core/deliveries/add-mail.ts'
import { findNotification } from './store/notifications.ts'

let refusing = true
const scene = await openScene({ mailServer: { replyToRecipient: () => (refusing ? { code: 550 } : undefined) } })
after(() => scene[Symbol.asyncDispose]())

async function run(name: string, ...args: string[]): Promise<string> {
  return runAt(scene.databaseUrl, name, ...args)
}

async function runAt(databaseUrl: string, name: string, ...args: string[]): Promise<string> {
  const command = commands.find((each) => each.name === name) ?? assert.fail(name)
  const written: string[] = []
  const { write } = process.stdout
  process.stdout.write = (text: string | Uint8Array) => written.push(String(text)) > 0
  try {
    await command.run(args, { DATABASE_URL: databaseUrl })
  } finally {
    process.stdout.write = write
  }
  return written.join('')
}

test('a mail that was given up is listed without its address, and goes when it is told to', async () => {
  const id = await addMail(scene.db, { tenant: scene.tenant, template: 'password_changed', userId: scene.addPerson() })
  const state = async () => (await findNotification(scene.db, scene.tenant, id))?.state
  scene.startWorker()
  await until('it to fail', async () => (await state()) === 'failed')
  const listed = await run('mail failed')
  assert.match(listed, /password_changed\t1 tries\tthe mail server answered 550/)
  assert.doesNotMatch(listed, /@/)

  refusing = false
  await assert.rejects(run('mail retry'), CommandProblem)
  await assert.rejects(run('mail retry', uuidv7()), CommandFailed)
  await assert.rejects(run('mail retry', '--all', uuidv7()), CommandProblem)
  assert.equal(await run('mail retry', listed.split('\t')[0] ?? ''), '1 will be sent again\n')
  await until('it to be delivered', async () => (await state()) === 'delivered')
  assert.equal(await run('mail failed'), '')
})

test('a database that is away is told in a sentence', async () => {
  const away = Object.assign(new URL(scene.databaseUrl), { port: '1' }).href
  await assert.rejects(runAt(away, 'mail failed'), CommandFailed)
  await assert.rejects(runAt(away, 'mail retry', '--all'), CommandFailed)
})
