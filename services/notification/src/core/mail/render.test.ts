import assert from 'node:assert/strict'
import { test } from 'node:test'
import { languages } from './languages.ts'
import { renderMail } from './render.ts'
import { templateNames } from './template-names.ts'

const fields = {
  brand: 'Gatehouse',
  origin: 'https://id.example.com',
  name: 'Ada',
  code: '123456',
  code_lifetime: '10 minutes',
  link: 'https://id.example.com/verify#token=abc_DEF-123',
  link_lifetime: '24 hours',
  title: 'A title',
  text: 'First\n\nSecond',
  paragraphs: [['First'], ['Second', 'line']],
  action_url: 'https://id.example.com/offer?a=1&b=2',
  action_label: 'Look',
  when: '1 March 2026 at 08:30 UTC',
  device: 'Firefox on Linux',
  network: '198.51.100.0/24',
  new_device: 'yes',
  new_network: 'yes',
  guessed: 'yes',
  too_often: '',
  entered: '',
  copied: '',
  factor_guessed: '',
  other: '',
}

for (const name of templateNames) {
  for (const language of languages) {
    test(`${name} in ${language} is whole: a subject, both parts, nothing left to fill in`, () => {
      const mail = renderMail(name, language, fields)
      assert.match(mail.subject, /^\S.*\S$/)
      for (const part of [mail.subject, mail.html, mail.text]) assert.doesNotMatch(part, /\{\{|\}\}|\[\[|\]\]|undefined|null/)
      assert.ok(mail.html.includes(`<html lang="${language}"`))
      assert.ok(mail.html.includes('prefers-color-scheme: dark'))
      assert.doesNotMatch(mail.html, /<(img|script|link|iframe)\b|@import/, 'nothing is loaded from elsewhere')
      if (mail.html.includes('123456'))
        for (const part of [mail.html, mail.text]) assert.ok(part.includes('123456') && part.includes(fields.link))
    })
  }
}

test('what people write is shown and never obeyed', () => {
  const evil = '<script>alert(1)</script> {{origin}} [[lang]] "\' &'
  const mail = renderMail('announcement', 'en', { ...fields, title: `${evil}\r\nBcc: all@example.com`, name: evil, paragraphs: [[evil]] })
  assert.doesNotMatch(mail.html, /<script/)
  assert.ok(mail.html.includes('&lt;script&gt;alert(1)&lt;/script&gt; {{origin}} [[lang]] &quot;&#x27; &amp;'))
  assert.equal(mail.subject, `${evil} Bcc: all@example.com`)
})

test('a mail with a missing field is refused', () => {
  const { link: _, ...rest } = fields
  assert.throws(() => renderMail('verify_email', 'en', rest), /link/)
})

test('the greeting leaves out a name that nobody knows', () => {
  const mail = renderMail('password_changed', 'de', { ...fields, name: '' })
  assert.match(mail.text, /^Guten Tag,$/m)
})

test('a session that an older release tells of is told without a link', () => {
  const none = { when: '', device: '', network: '', link: '', link_lifetime: '' }
  const mail = renderMail('session_reuse', 'en', { ...fields, ...none })
  for (const part of [mail.html, mail.text]) assert.doesNotMatch(part, /lock your account|When:/)
})

test('a mail whose code is used up offers the link alone', () => {
  const mail = renderMail('verify_email', 'en', { ...fields, code: '', code_lifetime: '' })
  assert.match(mail.text, /Open this link:\n\nhttps:/)
  for (const part of [mail.html, mail.text]) assert.doesNotMatch(part, /Enter this code|is good for \./)
})
