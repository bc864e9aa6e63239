import { spawnSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { pnpm } from './pnpm.mjs'

const folder = 'packages/console'

/** Builds the console into `target`, with the compressed forms of its files beside them, or its document alone. */
export async function buildPages(target, { onlyTheDocument }) {
  await pnpm('install', '--frozen-lockfile', '--filter', '@gatehouse/console...')
  const built = spawnSync(process.execPath, ['node_modules/vite/bin/vite.js', 'build', '--logLevel', 'warn'], {
    cwd: folder,
    stdio: 'inherit',
  })
  if (built.status !== 0) throw new Error(`the console cannot be built: vite ended with ${built.status}`)
  if (onlyTheDocument) {
    mkdirSync(target, { recursive: true })
    cpSync(join(folder, 'dist/index.html'), join(target, 'index.html'))
    return
  }
  cpSync(join(folder, 'dist'), target, { recursive: true })
  for (const file of globSync(join(target, '**/*.{html,js,css,svg,json,txt}'))) compress(file)
  const document = 'packages/contracts/openapi.json'
  compress(document, join(target, '../../contracts/openapi.json'))
}

// Once for all downloads, so as small as can be. What hardly shrinks is not worth a second copy.
function compress(file, target = file) {
  const content = readFileSync(file)
  const forms = {
    '.br': brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length } }),
    '.gz': gzipSync(content, { level: 9 }),
  }
  mkdirSync(join(target, '..'), { recursive: true })
  for (const [ending, bytes] of Object.entries(forms)) if (bytes.length < content.length * 0.9) writeFileSync(target + ending, bytes)
}
