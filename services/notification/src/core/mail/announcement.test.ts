import assert from 'node:assert/strict'
import { test } from 'node:test'
import { announcementFields, checkAnnouncement } from './announcement.ts'

const origin = 'http://localhost:8080'
const good = { title: 'News', text: 'One\n\nTwo' }

test('an announcement with or without a link fits', () => {
  assert.equal(checkAnnouncement(good, origin), undefined)
  assert.equal(checkAnnouncement({ ...good, action_label: 'Look', action_url: 'https://example.com/a?b#c' }, origin), undefined)
  assert.equal(checkAnnouncement({ ...good, action_label: 'Look', action_url: `${origin}/inbox` }, origin), undefined)
})

test('the field that does not fit is named', () => {
  const link = (action_url: string) => ({ ...good, action_label: 'Look', action_url })
  const refused: [Record<string, string>, string][] = [
    [{ text: 'x' }, 'title'],
    [{ title: 'x' }, 'text'],
    [{ ...good, text: ' \n ' }, 'text'],
    [{ ...good, title: 'a\r\nBcc: b@example.com' }, 'title'],
    [{ ...good, title: 'x'.repeat(201) }, 'title'],
    [{ ...good, text: 'x'.repeat(10_001) }, 'text'],
    [{ ...good, text: 'a\u0000b' }, 'text'],
    [{ ...good, colour: 'red' }, 'colour'],
    [{ ...good, constructor: 'x' }, 'constructor'],
    [{ ...good, action_label: 'Look' }, 'action_url'],
    [{ ...good, action_url: 'https://example.com' }, 'action_label'],
    [link('javascript:alert(1)'), 'action_url'],
    [link('data:text/html,x'), 'action_url'],
    [link('http://example.com'), 'action_url'],
    [link('https://user:secret@example.com'), 'action_url'],
    [link('//example.com'), 'action_url'],
    [link('/inbox'), 'action_url'],
    [link('http://localhost:8080@evil.example'), 'action_url'],
    [link('not a link'), 'action_url'],
  ]
  for (const [data, field] of refused) assert.equal(checkAnnouncement(data, origin), field, JSON.stringify(data))
})

test('the text is paragraphs of lines, whatever ends them', () => {
  assert.deepEqual(announcementFields({ title: 'x', text: '\r\na\r\nb\r\n \r\nc\n' }).paragraphs, [['a', 'b'], ['c']])
})
