import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { home } from '../src/render.ts'

test('the mail sink of the overlay `kind` keeps mails as they came, and tells the newest first', async (t) => {
  const script = join(home, 'overlays/kind/dependencies/mail-sink.mjs')
  const sink = spawn(process.execPath, [script], { env: { SMTP_PORT: '0', HTTP_PORT: '0' }, stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(async () => {
    sink.kill()
    await once(sink, 'exit')
  })
  const [line] = (await once(createInterface({ input: sink.stdout }), 'line')) as [string]
  const { smtp, http } = JSON.parse(line) as { readonly smtp: number; readonly http: number }

  const socket = connect(smtp, '127.0.0.1').setEncoding('utf8')
  const answers: string[] = [String((await once(socket, 'data'))[0])]
  const mails = ['first@example.com', 'second@example.com'].flatMap((to) => [
    'MAIL FROM:<a@example.com>',
    `RCPT TO:<${to}>`,
    'DATA',
    `Subject: for ${to}\r\n\r\n..begins with a dot\r\n.`,
  ])
  for (const said of ['EHLO test', ...mails, 'QUIT']) {
    socket.write(`${said}\r\n`)
    answers.push(String((await once(socket, 'data'))[0]))
  }
  socket.destroy()
  assert.deepEqual(
    answers.map((answer) => answer.slice(0, 3)),
    ['220', '250', '250', '250', '354', '250', '250', '250', '354', '250', '221'],
  )
  const answer = await fetch(`http://127.0.0.1:${http}/dev/mailbox.json`)
  const { messages } = (await answer.json()) as { readonly messages: readonly { readonly to: readonly string[]; readonly text: string }[] }
  assert.deepEqual(
    messages.map(({ to }) => to),
    [['second@example.com'], ['first@example.com']],
  )
  assert.equal(messages[1]?.text, 'Subject: for first@example.com\n\n.begins with a dot')
})
