import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statfsSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { inSilence } from './foreground.mjs'
import { withLock } from './lock.mjs'
import { Obstacle, registryObstacle, writingObstacle } from './obstacle.mjs'
import { step } from './progress.mjs'

const nodeMajor = 24
const pnpmVersion = '12.21.0'

/** npm packages that carry a whole Node. Versions differ by platform; linux-x64 is the one that is tested. */
const nodePackages = {
  'linux-x64': '24.21.0',
  'linux-arm64': '24',
  'darwin-x64': '24',
  'darwin-arm64': '24',
}

/**
 * Finds Node 24 or newer and pnpm, bringing into .toolchain what is missing.
 * Answers with the path of Node and the PATH for every child, so that scripts find both under their plain names.
 */
export async function ensureToolchain(root) {
  if (Number(process.versions.node.split('.')[0]) < 20) {
    throw new Obstacle(`Node ${process.versions.node} is too old: Node 20 or newer is needed (https://nodejs.org/).`)
  }
  const platform = `${process.platform}-${process.arch}`
  const present = Number(process.versions.node.split('.')[0]) >= nodeMajor
  const folder = join(root, '.toolchain')
  if (!found(folder, platform, present)) {
    await withLock(join(folder, 'lock'), async () => {
      if (!found(folder, platform, present)) await bring(folder, platform, present)
    })
  }
  const tools = found(folder, platform, present)
  const node = present ? process.execPath : tools.node
  const path = [join(root, 'node_modules', '.bin'), dirname(node), dirname(tools.pnpm), process.env.PATH ?? ''].join(delimiter)
  return { node, path }
}

/** What .toolchain holds, when it is all that is needed. It appears there in one piece, so that looking is enough. */
function found(folder, platform, present) {
  const modules = join(folder, 'node_modules')
  const node = join(modules, `node-${platform}`, 'bin', 'node')
  if (versionOf(join(modules, 'pnpm')) !== pnpmVersion) return undefined
  if (!present && !(versionOf(join(modules, `node-${platform}`))?.startsWith(`${nodeMajor}.`) && existsSync(node))) return undefined
  const pnpm = list(join(modules, '@pnpm'))
    .filter((name) => name.startsWith('exe.'))
    .map((name) => join(modules, '@pnpm', name, 'pnpm'))
    .find((file) => existsSync(file))
  return pnpm ? { node, pnpm } : undefined
}

async function bring(folder, platform, present) {
  const wanted = [`pnpm@${pnpmVersion}`]
  if (!present) {
    refuseUnknown(platform)
    wanted.push(`node-${platform}@${nodePackages[platform]}`)
  }
  const staging = join(folder, 'incoming')
  const { bavail, bsize } = statfsSync(folder)
  if (bavail * bsize < 600e6) throw writingObstacle({ code: 'ENOSPC' }, folder)
  try {
    for (const name of list(folder))
      if (name === 'incoming' || name === 'outgoing') rmSync(join(folder, name), { recursive: true, force: true })
    mkdirSync(staging)
    const what = present ? 'pnpm' : `Node ${nodeMajor} and pnpm`
    await step(
      `bringing ${what} into .toolchain (once)`,
      `${what} are in .toolchain`.replace('pnpm are', present ? 'pnpm is' : 'pnpm are'),
      () => npmInstall(staging, wanted),
    )
    const modules = join(folder, 'node_modules')
    if (existsSync(modules)) renameSync(modules, join(folder, 'outgoing'))
    renameSync(join(staging, 'node_modules'), modules)
  } catch (error) {
    throw writingObstacle(error, folder) ?? error
  } finally {
    for (const name of ['incoming', 'outgoing']) rmSync(join(folder, name), { recursive: true, force: true })
  }
  if (!found(folder, platform, present))
    throw new Obstacle(
      `npm installed pnpm without its program for ${platform}: install with optional dependencies (npm config get omit) and start again.`,
    )
}

async function npmInstall(prefix, wanted) {
  const quiet = [
    '--no-save',
    '--no-package-lock',
    '--no-audit',
    '--no-fund',
    '--no-update-notifier',
    '--loglevel=error',
    '--ignore-scripts',
    '--include=optional',
    '--fetch-retries=2',
    '--fetch-retry-mintimeout=1000',
    '--fetch-retry-maxtimeout=5000',
  ]
  // The folder must look like a package's own, or npm installs into one above it.
  const args = ['install', '--prefix', prefix, ...quiet, ...wanted]
  const result = await inSilence('npm', args, { cwd: prefix, env: process.env }).catch((error) => {
    if (error.code === 'ENOENT')
      throw new Obstacle(
        'npm is not on PATH, and it is needed to bring Node and pnpm: install it (Debian: apt-get install npm) and start again.',
      )
    throw error
  })
  if (result.code !== 0) throw registryObstacle('npm', result.output, prefix)
}

function refuseUnknown(platform) {
  const glibc = process.platform !== 'linux' || process.report.getReport().header.glibcVersionRuntime
  if (nodePackages[platform] && glibc) return
  const kind = glibc ? platform : `${platform} with musl`
  throw new Obstacle(
    `There is no Node ${nodeMajor} to bring for ${kind}: install Node ${nodeMajor} or newer yourself (https://nodejs.org/) and start again.`,
  )
}

function versionOf(packageFolder) {
  try {
    return JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')).version
  } catch {
    return undefined
  }
}

function list(folder) {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
