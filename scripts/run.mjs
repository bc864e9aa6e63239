// The way into the house: `npm start`, `npm test`, `npm run X` and `pnpm X` all come here, on whatever Node there is (20 or newer).
// Brings Node, pnpm and the dependencies when they are missing, then runs one program in the foreground.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureDependencies } from './dependencies.mjs'
import { inForeground } from './foreground.mjs'
import { Obstacle } from './obstacle.mjs'
import { ensureToolchain } from './toolchain.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Every command is a program for Node 24 and its leading arguments; what the user adds comes behind them. */
const commands = {
  start: ['deploy/local/src/main.ts'],
  test: ['packages/testkit/src/suite/main.ts'],
  check: ['packages/testkit/src/suite/main.ts', '--checks-only'],
  generate: ['packages/contracts/scripts/generate.ts'],
  'try-start': ['packages/testkit/test/npm-start.ci.ts'],
  baseline: ['packages/testkit/src/suite/move-baseline.ts'],
  bench: ['packages/bench/src/main.ts'],
  chaos: ['packages/chaos/src/main.ts'],
  gatehouse: ['packages/cli/src/main.ts'],
  bring: ['packages/testkit/src/debian/main.ts'],
  images: ['deploy/images/src/main.ts'],
  'nats-users': ['packages/testkit/src/write-nats-users.ts'],
  tarballs: ['scripts/packing/main.ts'],
  'first-secrets': ['deploy/kubernetes/src/print-secrets.ts'],
  render: ['deploy/kubernetes/src/main.ts'],
  changeset: ['node_modules/@changesets/cli/bin.js'],
}

async function main([command = '', ...args]) {
  const shell = command === 'verify' ? ['.ci/run'] : undefined
  if (!shell && command !== 'node' && !Object.hasOwn(commands, command)) {
    throw new Obstacle(`There is no command "${command}". The commands are: ${[...Object.keys(commands), 'node', 'verify'].join(', ')}.`)
  }
  const { node, path } = await ensureToolchain(root)
  // Compiled code and stripped types are kept between starts: a service starts in half the time, and takes a fifth less memory.
  const env = { NODE_COMPILE_CACHE: join(root, '.cache', 'node'), ...process.env, PATH: path }
  await ensureDependencies(root, env)
  if (shell) return inForeground('bash', [...shell, ...args], { cwd: root, env })

  // Whichever Node there is on the PATH, this one runs TypeScript.
  if (command === 'node') return inForeground(node, args, { cwd: root, env })

  const program = join(root, commands[command][0])
  if (!existsSync(program)) throw new Obstacle(`${commands[command][0]} is missing: is this clone complete? "git status" tells.`)
  await inForeground(node, [program, ...commands[command].slice(1), ...args], { cwd: root, env })
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  if (error instanceof Obstacle) console.error(`\n${error.message}`)
  else console.error(error)
  process.exitCode = error instanceof Obstacle ? (error.exitCode ?? 1) : 1
}
