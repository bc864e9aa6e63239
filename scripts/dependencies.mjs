import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inSilence } from './foreground.mjs'
import { withLock } from './lock.mjs'
import { registryObstacle, writingObstacle } from './obstacle.mjs'
import { step } from './progress.mjs'

/** Installs what the lockfile names, unless the same lockfile and manifests were installed here before. */
export async function ensureDependencies(root, env) {
  const marker = join(root, 'node_modules', '.gatehouse-installed')
  const wanted = fingerprint(root)
  if (read(marker) === wanted) return
  await withLock(join(root, '.toolchain', 'lock'), async () => {
    if (read(marker) === wanted) return
    await step('installing the dependencies (a minute or so the first time)', 'dependencies are installed', () => install(root, env))
    try {
      writeFileSync(marker, wanted)
    } catch (error) {
      throw writingObstacle(error, root) ?? error
    }
  })
}

async function install(root, env) {
  // CI=true: pnpm asks nothing, for instance whether to replace a node_modules that another version made.
  const { code, output } = await inSilence('pnpm', ['install', '--frozen-lockfile', '--reporter=append-only'], {
    cwd: root,
    env: { ...env, CI: 'true' },
  })
  if (code === 0) return
  if (/ERR_PNPM_OUTDATED_LOCKFILE/.test(output))
    throw registryObstacle('pnpm', 'pnpm-lock.yaml does not fit the package.json files: run "pnpm install" and commit the lockfile.', root)
  throw registryObstacle('pnpm', output, root)
}

/** Everything that decides what is installed. */
function fingerprint(root) {
  const hash = createHash('sha256').update(`${process.platform}-${process.arch}\n`)
  const manifests = ['packages', 'services', 'deploy'].flatMap((folder) =>
    folders(join(root, folder)).map((name) => join(folder, name, 'package.json')),
  )
  for (const name of ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests.sort()]) {
    hash.update(`${name}\n${read(join(root, name)) ?? ''}\n`)
  }
  return hash.digest('hex')
}

function folders(folder) {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
