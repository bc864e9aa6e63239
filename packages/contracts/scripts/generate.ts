import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeTemplates } from '../../../services/notification/scripts/compile-templates.ts'
import { differences, replace } from './compare-trees.ts'
import { listFiles } from './list-files.ts'
import { vendorProtos } from './vendor-protos.ts'

// Everything that is made from proto/ and the mail templates, in one go. `--check` changes nothing that is committed and fails naming what is out of date.
const root = fileURLToPath(new URL('../../../', import.meta.url))
const check = process.argv.includes('--check')

mkdirSync(join(root, '.cache'), { recursive: true })
const fresh = mkdtempSync(join(root, '.cache/generated-'))
try {
  vendorProtos(join(root, '.vendor/proto'))
  // buf finds its plugin there.
  const env = { ...process.env, PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH}` }
  execFileSync('buf', ['generate', '-o', fresh], { cwd: root, stdio: 'inherit', env })
  listFiles(fresh)
  const stale = settle(['packages/contracts/src'])

  // These read the generated options: they are loaded when those are in place.
  const { writeDocuments } = await import('./write-documents.ts')
  writeDocuments(root, fresh)
  stale.push(...settle(['packages/contracts/openapi.json', 'docs/contract.md', await writeTemplates(fresh)]))

  if (stale.length > 0) {
    process.stderr.write(`Out of date, run pnpm generate:\n${stale.map((path) => `  ${path}\n`).join('')}`)
    process.exitCode = 1
  }
} finally {
  rmSync(fresh, { recursive: true, force: true })
}

/** Brings what was made into the tree; with `--check` only names what differs from it. */
function settle(paths: string[]): string[] {
  const changed = paths.flatMap((path) => differences(root, fresh, path))
  if (check) return changed
  for (const path of changed) replace(root, fresh, path)
  return []
}
