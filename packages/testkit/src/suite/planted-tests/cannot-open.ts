import { before, test } from 'node:test'

before(() => {
  throw new Error('no house')
})
test('never runs', () => undefined)
