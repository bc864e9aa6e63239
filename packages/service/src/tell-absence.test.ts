import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { tellAbsence } from './tell-absence.ts'

function absence(graceMs: number) {
  const said: string[] = []
  return { said, ...tellAbsence({ away: (problem) => said.push(`away: ${problem}`), back: () => said.push('back'), graceMs }) }
}

test('what is back at once is no word', async () => {
  const { said, told } = absence(60)
  for (let at = 0; at < 3; at++) {
    told(new Error('dropped'))
    told(undefined)
  }
  await delay(120)
  assert.deepEqual(said, [])
})

test('what stays away is said once, and that it is back', async () => {
  const { said, told } = absence(10)
  told(new Error('dropped'))
  told(new Error('refused'))
  await delay(60)
  assert.deepEqual(said, ['away: dropped'])
  told(undefined)
  told(undefined)
  assert.deepEqual(said, ['away: dropped', 'back'])
  told('gone again')
  await delay(60)
  assert.deepEqual(said, ['away: dropped', 'back', 'away: gone again'])
})

test('who leaves says nothing any more', async () => {
  const { said, told, [Symbol.dispose]: dispose } = absence(10)
  told(new Error('dropped'))
  dispose()
  await delay(60)
  assert.deepEqual(said, [])
})
