import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readOptions } from '../src/options.ts'
import { scenarios } from '../src/scenarios/index.ts'

const read = (...words: string[]) => readOptions(words, scenarios)
const chosen = (...words: string[]) => read(...words).chosen.map(({ name }) => name)

test('a scenario is chosen by its name alone too, and nothing else runs', () => {
  assert.deepEqual(chosen('mail-server'), ['mail-server'])
  assert.deepEqual(chosen('mail-server', '--scenario', 'soak', '--quick'), ['mail-server', 'soak'])
  assert.throws(() => read('mail-sever'), /There is no scenario mail-sever; there are kill-services/)
})

test('the names behind --planted are those of planted faults', () => {
  const { names, planted } = read('--planted', 'no-drain')
  assert.deepEqual([names, planted], [['no-drain'], true])
})

test('a number that would show nothing is refused', () => {
  assert.throws(() => read('--clean', '0'), /--clean takes a number of seeds, one at least/)
  assert.throws(() => read('--clean', '1.5'), /--clean takes a whole number, not 1\.5/)
  assert.throws(() => read('--seed', '0.5'), /--seed takes a whole number, not 0\.5/)
  assert.throws(() => read('--minutes', 'ten'), /--minutes takes a number, not ten/)
  assert.equal(read('--clean', '10', '--seed', '7').clean, 10)
})

test('two runs of their own at once are refused, not half done', () => {
  assert.throws(() => read('--planted', '--clean', '10'), /--planted and --clean are runs of their own/)
})
