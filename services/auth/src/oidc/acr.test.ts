import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Strength } from '@gatehouse/identity'
import { acrValues, answeredAcr, demandedStrength } from './acr.ts'

test('what is offered is what our tokens say, the weakest first', () => {
  assert.deepEqual(acrValues, ['aal1', 'aal2', 'phr'])
})

test('of several values the weakest is the demand, and never less than the client’s own', () => {
  assert.equal(demandedStrength({ values: ['phr', 'aal2'] }, 0), Strength.TWO_FACTORS)
  assert.equal(demandedStrength({ value: 'aal1' }, Strength.TWO_FACTORS), Strength.TWO_FACTORS)
  assert.equal(demandedStrength(undefined, 0), 0)
  assert.equal(demandedStrength(null, 0), 0)
})

test('an unknown value demands nothing, unless it is essential and stands alone', () => {
  assert.equal(demandedStrength({ values: ['urn:unknown'] }, 0), 0)
  assert.equal(demandedStrength({ essential: true, values: ['urn:unknown', 'aal2'] }, 0), Strength.TWO_FACTORS)
  assert.ok(demandedStrength({ essential: true, value: 'urn:unknown' }, 0) > Strength.PHISHING_RESISTANT)
  for (const odd of [7, {}, null, ['aal2']]) assert.equal(demandedStrength({ values: [odd] }, 0), 0)
})

test('a client reads the first value that it asked for and that the session reaches', () => {
  assert.equal(answeredAcr({ values: ['phr', 'aal2', 'aal1'] }, 'aal2'), 'aal2')
  assert.equal(answeredAcr({ values: ['aal1', 'phr'] }, 'phr'), 'aal1')
  assert.equal(answeredAcr({ values: ['phr'] }, 'aal1'), 'aal1')
  assert.equal(answeredAcr(undefined, 'aal2'), 'aal2')
})
