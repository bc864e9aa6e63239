import assert from 'node:assert/strict'
import { test } from 'node:test'
import { classifyFailure } from './classify-failure.ts'

const failure = (fields: object) => Object.assign(new Error('x'), fields)

test('what the mail server refuses for good is not tried again, all else is', () => {
  const cases: [object, boolean][] = [
    [{ code: 'EENVELOPE', responseCode: 550, command: 'RCPT TO' }, false],
    [{ code: 'EMESSAGE', responseCode: 554, command: 'DATA' }, false],
    [{ code: 'EENVELOPE', responseCode: 451, command: 'RCPT TO' }, true],
    [{ code: 'EMESSAGE', responseCode: 452, command: 'DATA' }, true],
    [{ code: 'EENVELOPE', responseCode: 530, command: 'MAIL FROM' }, true],
    [{ code: 'EAUTH', responseCode: 535, command: 'AUTH PLAIN' }, true],
    [{ code: 'EPROTOCOL', responseCode: 554, command: 'CONN' }, true],
    [{ code: 'ECONNECTION', responseCode: 421, command: 'CONN' }, true],
    [{ code: 'ESOCKET', command: 'CONN' }, true],
    [{ code: 'ETIMEDOUT', command: 'CONN' }, true],
    [{ code: 'ETLS', command: 'STARTTLS' }, true],
    [{ code: 'EENVELOPE', command: 'API' }, false],
    [{}, true],
  ]
  for (const [fields, transient] of cases) assert.equal(classifyFailure(failure(fields)).transient, transient, JSON.stringify(fields))
})

test('the reason has the codes and no address', () => {
  const error = failure({ code: 'EENVELOPE', responseCode: 550, command: 'RCPT TO', response: '550 5.1.1 <ada@example.com> unknown' })
  assert.equal(classifyFailure(error).reason, 'the mail server answered 550 (5.1.1) to RCPT TO')
})
