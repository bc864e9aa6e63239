import { execFile } from 'node:child_process'
import { access, chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { SetupProblem } from '../setup-problem.ts'
import { type DebianMirror, debianMirror } from './apt-sources.ts'

const run = promisify(execFile)

/** Debian's packages of one suite, newer than this machine's own. */
export type DebianArchive = {
  readonly suite: string
  /** The stanzas of `apt-cache show` of the packages that the suite has. */
  show(packages: readonly string[]): Promise<string>
  /** The paths of the packages' files, gone when the archive is closed. */
  download(packages: readonly string[]): Promise<readonly string[]>
}

/** Nobody answered where Debian's packages would come from: this machine knows no archive of Debian's, has no apt, or no network. */
export class OutOfReach extends SetupProblem {}

/** Where apt and what it is told are, for whoever has others than this machine. */
export type AptPlace = { readonly path?: string; readonly aptFolder?: string; readonly log?: ((line: string) => void) | undefined }

/**
 * Debian 12 and 13 carry versions that are too old for us, so that what we need comes from testing, else from unstable:
 * apt with a private sources list and private folders, no root, nothing installed. apt checks the archive's signature
 * with the key rings of this machine (testing is signed with the automatic keys of the current and the previous stable release).
 */
export async function fromDebian<T>(what: string, place: AptPlace, use: (archive: DebianArchive) => Promise<T>) {
  const mirror = await debianMirror(place.aptFolder)
  if (!mirror) throw new OutOfReach(`There is no ${what} on PATH, and one can be brought on Debian only.`)
  place.log?.(`bringing ${what} from ${new URL(mirror.uri.replace(/^mirror\+/, '')).host}`)
  const work = await mkdtemp(join(tmpdir(), 'gatehouse-apt-'))
  try {
    // apt started by root downloads as its own user, who must be able to enter.
    await chmod(work, 0o755)
    let failure: unknown
    for (const suite of ['testing', 'unstable']) {
      try {
        return await use(await open(join(work, suite), mirror, suite, what, place))
      } catch (error) {
        failure ??= error
        if (failure instanceof OutOfReach) break
      }
    }
    throw failure
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function open(folder: string, mirror: DebianMirror, suite: string, what: string, { path }: AptPlace): Promise<DebianArchive> {
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
    // Where packets vanish it would be half a minute for each address, three times over.
    'Acquire::http::Timeout': '15',
    'Acquire::https::Timeout': '15',
  }
  const options = Object.entries(own).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  const apt = (program: string, args: readonly string[]) => runApt(program, [...options, ...args], { folder, what, path })
  await apt('apt-get', ['update']).catch((error: SetupProblem) => {
    throw wasAnswered(error) ? error : new OutOfReach(error.message, { cause: error })
  })
  return {
    suite,
    show: (packages) => apt('apt-cache', ['show', '--no-all-versions', ...packages]),
    async download(packages) {
      await apt('apt-get', ['download', ...packages])
      const files = (await readdir(folder)).filter((name) => name.endsWith('.deb'))
      return packages.map((name) => {
        const file = files.find((candidate) => candidate.startsWith(`${name}_`))
        if (!file) throw new SetupProblem(`Debian ${suite} at ${mirror.uri} has no ${name}.`)
        return join(folder, file)
      })
    },
  }
}

type AptRun = { readonly folder: string; readonly what: string; readonly path: string | undefined }

async function runApt(program: string, args: readonly string[], { folder, what, path }: AptRun): Promise<string> {
  try {
    const env = { ...process.env, ...(path !== undefined && { PATH: path }), LC_ALL: 'C' }
    return (await run(program, ['-q', ...args], { cwd: folder, timeout: 180_000, env, maxBuffer: 64 << 20 })).stdout
  } catch (error) {
    const said = error && typeof error === 'object' && 'stderr' in error ? String(error.stderr) : ''
    const reason = said.split('\n').find((line) => line.startsWith('E:')) ?? (error instanceof Error ? error.message.split('\n')[0] : '')
    throw new SetupProblem(`apt could not bring ${what}: ${reason?.replace(/^E:\s*/, '').replace(/\.?$/, '.')}`, { cause: error })
  }
}

// As apt writes that a name has no address, or an address nobody who answers. Whatever else it says is an answer, or a fault of ours.
const unanswered =
  /Could not resolve|Temporary failure resolving|Something wicked happened resolving|Could not connect|Cannot initiate the connection|Unable to connect|Could not create a socket/

/** Whether an update that failed had anybody to talk to. */
function wasAnswered({ message, cause }: SetupProblem): boolean {
  const isWithoutApt = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
  return !isWithoutApt && !unanswered.test(message)
}
