import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bestLanguage, spellDuration } from './languages.ts'

test('a person reads their language, its regions included, and everybody else English', () => {
  const read = ['de', 'de-AT', 'DE-ch', 'de_DE', 'en-GB', 'fr', 'den', '', 'x', '../de'].map(bestLanguage)
  assert.deepEqual(read, ['de', 'de', 'de', 'de', 'en', 'en', 'en', 'en', 'en', 'en'])
})

test('a span is spelled in the largest unit that it fills twice', () => {
  const spelled = [600, 599, 3600, 86_400, 7 * 86_400, 1].map((seconds) => spellDuration('de', seconds))
  assert.deepEqual(spelled, ['10 Minuten', '9 Minuten', '60 Minuten', '24 Stunden', '7 Tage', '1 Minute'])
})
