import { execFile, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { access, chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { type DebianMirror, debianMirror } from './apt-sources.ts'
import { SetupProblem } from './setup-problem.ts'

const run = promisify(execFile)

/**
 * Debian 12 and 13 carry a nats-server that is too old. Testing's needs a libc that Debian 12 has already, so it is unpacked from there:
 * apt with a private sources list and private folders, no root, nothing installed. apt checks the archive's signature
 * with the key rings of this machine (testing is signed with the automatic keys of the current and the previous stable release).
 */
export async function fetchNatsServer(target: string, log?: (line: string) => void): Promise<void> {
  const mirror = process.platform === 'linux' ? await debianMirror() : undefined
  if (!mirror) throw new SetupProblem('There is no nats-server on PATH, and one can be brought on Debian only.')
  log?.(`bringing nats-server from ${new URL(mirror.uri.replace(/^mirror\+/, '')).host}`)
  const work = await mkdtemp(join(tmpdir(), 'gatehouse-apt-'))
  try {
    // apt started by root downloads as its own user, who must be able to enter.
    await chmod(work, 0o755)
    let failure: unknown
    for (const suite of ['testing', 'unstable']) {
      try {
        await unpack(await download(join(work, suite), mirror, suite), target)
        return
      } catch (error) {
        failure ??= error
      }
    }
    throw failure
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function download(folder: string, mirror: DebianMirror, suite: string): Promise<string> {
  for (const name of ['', 'parts', 'lists/partial', 'cache/archives/partial']) await mkdir(join(folder, name), { recursive: true })
  const keyrings = [...new Set([...mirror.keyrings, '/usr/share/keyrings/debian-archive-keyring.gpg'])]
  const present = await Promise.all(
    keyrings.map((ring) =>
      access(ring).then(
        () => [ring],
        () => [],
      ),
    ),
  )
  const source = `Types: deb\nURIs: ${mirror.uri}\nSuites: ${suite}\nComponents: main\nTargets: Packages\nLanguages: none\nSigned-By: ${present.flat().join(' ')}\n`
  await writeFile(join(folder, 'parts', 'debian.sources'), source)
  await writeFile(join(folder, 'status'), '')
  const own = {
    'Dir::Etc::SourceList': '/dev/null',
    'Dir::Etc::SourceParts': join(folder, 'parts'),
    'Dir::State::Lists': join(folder, 'lists'),
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': join(folder, 'cache'),
    'APT::Update::Error-Mode': 'any',
    'Acquire::Retries': '2',
  }
  const options = Object.entries(own).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  await apt([...options, 'update'], folder)
  await apt([...options, 'download', 'nats-server'], folder)
  const deb = (await readdir(folder)).find((name) => name.endsWith('.deb'))
  if (!deb) throw new SetupProblem(`Debian ${suite} at ${mirror.uri} has no nats-server.`)
  return join(folder, deb)
}

async function apt(args: readonly string[], folder: string): Promise<void> {
  try {
    await run('apt-get', ['-q', ...args], { cwd: folder, timeout: 180_000, env: { ...process.env, LC_ALL: 'C' } })
  } catch (error) {
    const said = error && typeof error === 'object' && 'stderr' in error ? String(error.stderr) : ''
    const reason = said.split('\n').find((line) => line.startsWith('E:')) ?? (error instanceof Error ? error.message.split('\n')[0] : '')
    throw new SetupProblem(`apt could not bring nats-server: ${reason?.replace(/^E:\s*/, '').replace(/\.?$/, '.')}`, { cause: error })
  }
}

async function unpack(deb: string, target: string): Promise<void> {
  const archive = spawn('dpkg-deb', ['--fsys-tarfile', deb], { stdio: ['ignore', 'pipe', 'ignore'] })
  const tar = spawn('tar', ['-xO', './usr/sbin/nats-server'], { stdio: ['pipe', 'pipe', 'ignore'] })
  const done = [archive, tar].map(
    (child) => new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve)),
  )
  // tar stops reading once it has the file; what dpkg-deb still had to say is lost then, and that is fine.
  await Promise.all([
    pipeline(archive.stdout, tar.stdin).catch(() => undefined),
    pipeline(tar.stdout, createWriteStream(target, { mode: 0o755 })),
  ])
  const [, code] = await Promise.all(done)
  if (code !== 0) throw new SetupProblem(`${deb} holds no /usr/sbin/nats-server.`)
}
