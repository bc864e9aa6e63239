// Runs in an image that is nearly done, as the user that it will run as: has Node compile what a start loads, so that no container does it again.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, globSync } from 'node:fs'

/** Each loads all that it is made of and ends at once: a service for want of a configuration (2), the command when it has told what it can (0). */
const programs = { 'main.ts': [2], 'packages/cli/src/main.ts --help': [0] }

for (const [program, codes] of Object.entries(programs)) {
  const [file, ...args] = program.split(' ')
  if (!existsSync(file)) continue
  const { status, stderr } = spawnSync(process.execPath, [file, ...args], { encoding: 'utf8', env: { ...process.env, GATEHOUSE_MODE: '' } })
  if (!codes.includes(status)) throw new Error(`${program} ended with ${status}:\n${stderr}`)
}
// Node writes for its owner alone; in the image root owns them, so that a process cannot change what the next one runs.
const made = globSync(`${process.env.NODE_COMPILE_CACHE}/**/*`)
if (made.length === 0) throw new Error('Node has kept nothing of what it compiled')
for (const file of made) chmodSync(file, 0o755)
