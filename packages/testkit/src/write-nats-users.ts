import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { exampleSubscribers, natsUsersFile } from './nats-users-file.ts'

const file = fileURLToPath(new URL('../../../deploy/nats/users.conf', import.meta.url))
const names = process.argv.slice(2)

try {
  await writeFile(file, natsUsersFile(names.length > 0 ? names : exampleSubscribers))
  process.stdout.write(
    `deploy/nats/users.conf names ${(names.length > 0 ? names : exampleSubscribers).join(', ')} beside the three services\n`,
  )
} catch (error) {
  if (!(error instanceof TypeError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}
