import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { ensureToolchain } from '../../../scripts/toolchain.mjs'

/** Where a builder may mount a store of pnpm: with it no registry is asked, neither for packages nor for what it thinks of the lockfile. */
const store = '/pnpm-store'

/** Runs pnpm, of the version that the checkout works with, brought the same way. */
export async function pnpm(...args) {
  const { path } = await ensureToolchain(resolve('.'))
  const env = { ...process.env, PATH: path, CI: 'true', ...(existsSync(store) && { pnpm_config_store_dir: store }) }
  // Copies, as what is linked into a store elsewhere would be somebody else's.
  const options = [
    '--package-import-method=copy',
    '--reporter=append-only',
    ...(existsSync(store) ? ['--offline', '--trust-lockfile'] : []),
  ]
  const child = spawn('pnpm', args[0] === 'install' ? [...args, ...options] : args, { env, stdio: 'inherit' })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`pnpm ${args.join(' ')} ended with ${code}`)
}
