import { join } from 'node:path'
import { describe } from 'node:test'
import { root } from './find-tests.ts'

// The files of one process: each is a suite of its own, with hooks of its own, and they run one after the other.
for (const file of process.argv.slice(2))
  describe(file, async () => {
    await import(join(root, file))
  })
