import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Benchmark, efforts } from './benchmark.ts'
import { runEach } from './run-each.ts'

test('what a benchmark brought is kept before the next begins, and one that fails takes nothing from the others', async () => {
  const told: string[] = []
  const finding = { name: 'first', what: 'calls', figure: { median: 1, low: 1, high: 1 }, unit: 'calls/s' }
  const chosen: readonly Benchmark[] = [
    { name: 'first', about: 'one', run: () => Promise.resolve([finding]) },
    {
      name: 'second',
      about: 'two',
      run: () => {
        told.push('second begins')
        return Promise.reject(new Error('a wrong answer'))
      },
    },
    { name: 'third', about: 'three', run: () => Promise.resolve([{ ...finding, name: 'third' }]) },
  ]
  await runEach(chosen, { effort: efforts.smoke, people: 20_000 }, (name, rows) => {
    told.push(`${name}: ${rows?.map(({ what }) => what).join() ?? 'failed'}`)
    return Promise.resolve()
  })
  assert.deepEqual(told, ['first: calls', 'second begins', 'second: failed', 'third: calls'])
})
