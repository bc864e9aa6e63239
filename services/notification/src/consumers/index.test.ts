import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consumedEvents } from '../consumed-events.ts'
import type { Deps } from '../core/deps.ts'
import { consumersOf } from './index.ts'

test('the commands know the events that have a consumer, and no others', () => {
  // Tying handlers to events touches nothing that they need.
  const handled = consumersOf({} as Deps).map(({ event }) => event.typeName)
  assert.deepEqual(consumedEvents.map(({ typeName }) => typeName).sort(), handled.sort())
})
