import assert from 'node:assert/strict'
import { test } from 'node:test'
import PostalMime from 'postal-mime'
import { knowLines } from './quoted-printable.ts'
import { writeMail } from './write-mail.ts'

const from = { name: 'Gatehouse', address: 'no-reply@example.com' }
const mail = { deliveryId: 'd1', to: 'ada@example.com', subject: 'Hello', html: '<p>Hello</p>', text: 'Hello', optional: false }

test('whatever a mail says arrives as it was said, and every line of it fits', async () => {
  const text = ['Grüße, 你好 =3D', '.', ' space at the end ', 'a'.repeat(3000), 'ä'.repeat(400), '--_NmP-1', '', 'From here'].join('\n')
  const html = `<p class="x">${text.replaceAll('\n', '<br>\n')}</p>`
  const { bytes } = writeMail({ ...mail, text, html, subject: 'Überraschung '.repeat(20) }, { from })
  const read = await PostalMime.parse(bytes)
  assert.equal(read.text?.trimEnd(), text)
  assert.equal(read.html?.trimEnd(), html)
  assert.equal(read.subject?.trim(), 'Überraschung '.repeat(20).trim())
  const raw = bytes.toString('latin1')
  assert.ok(raw.split('\r\n').every((line) => line.length <= 78))
  assert.match(raw, /^(?:[\t\x20-\x7e]|\r\n)*$/)
})

test('a line of a template is the same with and without having been known before', () => {
  const html = '<a style="color=red">Grüße</a>\n<b>{{name}}</b>\n'
  const written = () =>
    writeMail({ ...mail, html }, { from })
      .bytes.toString('latin1')
      .replaceAll(/--_NmP[^\s"]*/g, '')
  const before = written().replace(/^Date: .*$/m, '')
  knowLines(html)
  assert.equal(written().replace(/^Date: .*$/m, ''), before)
})

test('the envelope carries the one address of the mail', () => {
  const { envelope, messageId } = writeMail({ ...mail, to: 'ada@bücher.example' }, { from })
  assert.deepEqual(envelope, { from: 'no-reply@example.com', to: ['ada@xn--bcher-kva.example'] })
  assert.equal(messageId, '<d1@example.com>')
})
