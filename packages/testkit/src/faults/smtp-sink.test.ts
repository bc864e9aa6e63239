import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { type SmtpSink, startSmtpSink } from './smtp-sink.ts'

/** Sends a mail by hand; answers the last reply, or `closed` where there was none. */
async function send(sink: SmtpSink, id: string, to = 'a@example.com', heard: (line: string) => void = () => undefined): Promise<string> {
  const socket = connect(sink.port, '127.0.0.1').on('error', () => undefined)
  const mail = `Message-ID: <${id}@x>\r\nSubject: Your code\r\n\r\n123456\r\n.`
  const steps = ['EHLO x', 'MAIL FROM:<x@example.com>', `RCPT TO:<${to}>`, 'DATA', mail]
  let last = ''
  for await (const line of createInterface({ input: socket })) {
    if (line[3] === '-') continue
    last = line
    heard(line)
    const step = steps.shift()
    if (step === undefined || Number(line.slice(0, 3)) >= 400) break
    last = ''
    socket.write(`${step}\r\n`)
  }
  socket.destroy()
  return last.slice(0, 3) || 'closed'
}

test('takes a mail and tells what it was', async () => {
  await using sink = await startSmtpSink()
  assert.equal(await send(sink, '1'), '250')
  const [mail] = sink.mails
  assert.deepEqual({ ...mail, time: 0 }, { messageId: '<1@x>', to: 'a@example.com', kind: 'Your code', text: '123456\n', time: 0 })
})

test('dies before its answer or after it, and has taken the mail', async () => {
  await using sink = await startSmtpSink()
  sink.set({ kind: 'die', when: 'before-answer' })
  assert.equal(await send(sink, '1'), 'closed')
  sink.set({ kind: 'die', when: 'after-answer' })
  assert.equal(await send(sink, '2'), '250')
  assert.deepEqual(
    sink.mails.map(({ messageId }) => messageId),
    ['<1@x>', '<2@x>'],
  )
})

test('refuses with the code that it is told, one recipient or a mail, and takes neither', async () => {
  await using sink = await startSmtpSink()
  sink.set((to) => (to === 'gone@example.com' ? { kind: 'refuse', code: 550, at: 'rcpt' } : { kind: 'refuse', code: 451, at: 'data' }))
  assert.equal(await send(sink, '1', 'gone@example.com'), '550')
  assert.equal(await send(sink, '2'), '451')
  assert.deepEqual([sink.mails.length, sink.turnedAway.length], [0, 2])
})

test('throttles: takes so many a second and says 421 to the rest', async () => {
  await using sink = await startSmtpSink()
  sink.set({ kind: 'throttle', perSecond: 2 })
  const codes = await Promise.all(['1', '2', '3', '4'].map((id) => send(sink, id)))
  assert.deepEqual(codes.sort(), ['250', '250', '421', '421'])
})

test('hangs after the mail, and whoever waits is let go when all is cut', async () => {
  await using sink = await startSmtpSink()
  sink.set({ kind: 'hang' })
  const waiting = send(sink, '1', 'a@example.com', (line) => {
    if (line.startsWith('354')) void read().then(() => sink.cut())
  })
  const read = async (): Promise<void> => {
    while (sink.turnedAway.length === 0) await new Promise(setImmediate)
  }
  assert.equal(await waiting, 'closed')
  assert.equal(sink.mails.length, 0)
})
