import { execFileSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const deploy = fileURLToPath(new URL('../../', import.meta.url))

/** Runs the script over a copy of what it reads, under `folder`. `gatehouse` is the program that makes workload keys. */
export function makeSecrets(folder: string, gatehouse: string): void {
  for (const file of ['compose/make-secrets.sh', 'nats/users.conf']) cpSync(join(deploy, file), join(folder, file))
  execFileSync('sh', [join(folder, 'compose/make-secrets.sh')], { env: { ...process.env, GATEHOUSE: gatehouse }, stdio: 'pipe' })
}
