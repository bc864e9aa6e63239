import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatementNames } from './statement-names.ts'

test('a text whose plan is stale is another text under another name from then on, behind a pooler too', () => {
  const names = new StatementNames()
  const text = 'select id from people where id = $1'
  assert.equal(names.of(text), undefined)
  const first = names.of(text)
  assert.equal(first?.text, text)
  names.renew(text)
  const second = names.of(text)
  assert.notEqual(second?.name, first?.name)
  assert.notEqual(second?.text, text)
  assert.deepEqual(new StatementNames().of(text), undefined)
  assert.deepEqual(names.of(text), second)
})

test('every process gives a text the same name', () => {
  const nameOf = (names: StatementNames) => [names.of('select $1'), names.of('select $1')][1]?.name
  assert.equal(nameOf(new StatementNames()), nameOf(new StatementNames()))
})
