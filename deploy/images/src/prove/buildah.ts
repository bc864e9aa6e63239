import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './run.ts'

/** Buildah with a storage of its own. */
export interface Buildah {
  readonly version: string
  /** Runs `buildah <args>` in `cwd` and answers what it printed. */
  call(args: readonly string[], cwd?: string): Promise<string>
}

/** With what Debian's buildah links to, where a small Debian lacks it. */
const packages = ['buildah', 'libgpgme11', 'libassuan0', 'libdevmapper1.02.1', 'libseccomp2']

/** Unpacks Debian's buildah under `work`: nothing is installed, and no file of the machine changes. */
export async function bringBuildah(work: string): Promise<Buildah> {
  const system = join(work, 'debian')
  await mkdir(join(work, 'debs'), { recursive: true })
  await mkdir(join(work, 'lists/partial'), { recursive: true })
  // apt started by root downloads as its own user, who must be able to enter.
  await chmod(work, 0o755)
  const lists = ['-q', '-o', `Dir::State::Lists=${join(work, 'lists')}`, '-o', 'Acquire::Languages=none', '-o', 'Acquire::Retries=2']
  await run('apt-get', [...lists, 'update'])
  await run('apt-get', [...lists, 'download', ...packages], { cwd: join(work, 'debs') })
  for (const deb of await readdir(join(work, 'debs'))) await run('dpkg-deb', ['--extract', join(work, 'debs', deb), system])

  // Nothing may come from a registry: the names of none are looked up, and a local image needs no signature.
  await writeFile(join(work, 'registries.conf'), '')
  await writeFile(join(work, 'policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}')
  const storage = ['--root', join(work, 'storage'), '--runroot', join(work, 'storage-run'), '--storage-driver', 'overlay']
  // It starts itself again without an environment, so its libraries have to be where the loader looks: over /usr, for it alone.
  const inside = 'mount -t overlay overlay -o "lowerdir=$1/usr:/usr" /usr && shift && exec /usr/bin/buildah "$@"'
  const call = (args: readonly string[], cwd = work) => {
    const signed = ['commit', 'build', 'push'].includes(args[0] ?? '')
      ? [args[0] ?? '', '--signature-policy', join(work, 'policy.json'), ...args.slice(1)]
      : args
    return run('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', inside, 'sh', system, ...storage, ...signed], {
      cwd,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', CONTAINERS_REGISTRIES_CONF: join(work, 'registries.conf') },
    })
  }
  return { version: (await call(['--version'])).trim(), call }
}
