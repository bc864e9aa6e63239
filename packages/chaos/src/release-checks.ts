import { spawn } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { cp, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from '@gatehouse/local'
import { previousRelease, treeOf } from './previous-release.ts'

/** Everything that makes the schema. */
const schema = [
  'services/*/src/store/migrations/*.ts',
  'packages/events/src/event-migrations.ts',
  'packages/postgres/src/shared-migrations.ts',
]

/** What the release before checks of what it writes and reads. */
const checks = [
  'services/user/src/core',
  'services/auth/src/core/sessions/refresh-session.test.ts',
  'services/auth/src/core/accounts/sign-up.test.ts',
  'services/auth/src/core/accounts/verify-email.test.ts',
  'services/notification/src/core/inbox',
  'services/notification/src/core/notifications',
  'packages/events/src/start-consumers.test.ts',
  'packages/postgres/src/once.test.ts',
]

/** Runs tests of the release before, with its code, on the schema of this one; true when they pass, or when this clone has no such release. */
export async function runReleaseChecks(say: (line: string) => void): Promise<boolean> {
  const release = previousRelease()
  if (!release) {
    say('This clone does not have the release before (a shallow one? "git fetch --unshallow" brings it): nothing is checked against it.')
    return true
  }
  say(`the checks of ${release.name} on the schema of this tree`)
  await using tree = await treeOf(release)
  for (const file of globSync(schema, { cwd: root })) await cp(join(root, file), join(tree.folder, file))
  const tools = join(root, '.toolchain')
  if (existsSync(tools)) await symlink(tools, join(tree.folder, '.toolchain'))
  const suite = join(tree.folder, 'packages/testkit/src/suite/main.ts')
  const pass = async (): Promise<boolean> => {
    const child = spawn(process.execPath, [suite, ...checks], { cwd: tree.folder, stdio: 'inherit' })
    return (await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))) === 0
  }
  if (await pass()) return true
  say(
    'They are run once more: a race in the code of a release that is out is not mended any more, and a schema that it cannot use fails each time.',
  )
  return await pass()
}
