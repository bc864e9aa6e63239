import assert from 'node:assert/strict'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { smallDisk } from './full-disk.ts'

test('a full disk takes nothing more until it is freed, and is gone afterwards', async (t) => {
  const disk = await smallDisk({ bytes: 1024 * 1024 })
  // Says aloud what was left out; what depends on it does the same.
  if (disk === undefined) return t.diagnostic('no disk can be mounted here: nothing was shown')
  {
    await using small = disk
    const file = join(small.path, 'file')
    await writeFile(file, 'fits')
    await small.fill()
    await assert.rejects(writeFile(file, 'x'.repeat(8_192)), { code: 'ENOSPC' })
    await small.free()
    await writeFile(file, 'x'.repeat(8_192))
  }
  await assert.rejects(stat(disk.path), { code: 'ENOENT' })
})
