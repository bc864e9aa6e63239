import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { BuiltImage } from './built-image.ts'

/** What a container is started from. */
export interface ContainerOptions {
  readonly image: BuiltImage
  /** Where the image is unpacked. Nobody may write there but who unpacked it. */
  readonly root: string
  /** Folder that it sees as `/run`, where its secrets are. */
  readonly files: string
  readonly env: Readonly<Record<string, string>>
  /** In place of the image's own. */
  readonly command?: readonly string[]
}

/** A process that was started as a container runtime starts it. */
export interface Container extends AsyncDisposable {
  readonly lines: readonly string[]
  /** With its exit code. */
  readonly ended: Promise<number>
  /** What the kernel knows of its first process. */
  status(): { readonly pidInside: number; readonly uid: number; readonly program: string }
  /** SIGTERM to its first process; answers the exit code. */
  stop(): Promise<number>
}

// The root becomes read-only, /dev has what every runtime gives, /run the secrets, and nothing else is there.
const inside = `set -e; root=$1 files=$2; shift 2
mount --bind "$root" "$root"
mount --bind -o ro "$files" "$root/run"
mount -o remount,bind,ro "$root/run"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null urandom; do : > "$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
mount -o remount,bind,ro "$root"
exec env -i "$@"`

// The first process of a namespace outlives whoever made that: a guard waits for the end of our pipe, and ends it then.
const outside = `inside=$1; shift; exec 3<&0 </dev/null
unshare --mount --pid --fork --propagation private sh -c "$inside" sh "$@" & made=$!
(read -r _ <&3; kill -KILL $(cat /proc/$made/task/$made/children)) 2>/dev/null & guard=$!
wait $made; code=$?; kill $guard 2>/dev/null; exit $code`

/** Starts an image as its configuration says: its user, its environment, its folder, its command as process 1, a root that cannot be written. */
export function startContainer({ image, root, files, env, command }: ContainerOptions): Container {
  const { User = '0:0', Env = [], Entrypoint = [], Cmd = [], WorkingDir = '/' } = image.config
  const [uid, gid] = User.split(':')
  const variables = [...Env, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)]
  const become = [
    '/usr/bin/setpriv',
    '--no-new-privs',
    '/usr/bin/unshare',
    `--root=${root}`,
    `--wd=${WorkingDir}`,
    `--setgid=${gid}`,
    `--setuid=${uid}`,
  ]
  const run = [...variables, ...become, '--', ...Entrypoint, ...(command ?? Cmd)]
  const child = spawn('sh', ['-c', outside, 'sh', inside, root, files, ...run], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', (line) => lines.push(line))
  const ended = once(child, 'close').then(([code]) => Number(code))
  const first = (): number => {
    const [maker] = childrenOf(child.pid ?? 0).filter((pid) => nameOf(pid) === 'unshare')
    const [pid] = maker === undefined ? [] : childrenOf(maker)
    if (pid === undefined) throw new Error(`there is no process in ${root}:\n${lines.slice(-20).join('\n')}`)
    return pid
  }
  const isOver = () => child.exitCode !== null || child.signalCode !== null
  return {
    lines,
    ended,
    status() {
      const text = readFileSync(`/proc/${first()}/status`, 'utf8')
      const field = (name: string) => new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(text)?.[1]?.split(/\s+/) ?? []
      return {
        pidInside: Number(field('NSpid').at(-1)),
        uid: Number(field('Uid')[0]),
        program: readFileSync(`/proc/${first()}/cmdline`, 'utf8').split('\0')[0] ?? '',
      }
    },
    async stop() {
      if (!isOver()) process.kill(first(), 'SIGTERM')
      return ended
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await ended
    },
  }
}

const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)

const nameOf = (pid: number): string => readFileSync(`/proc/${pid}/comm`, 'utf8').trim()

/** Runs an image to its end and answers what it printed, and its exit code. */
export async function runContainer(options: ContainerOptions): Promise<{ readonly code: number; readonly output: string }> {
  await using container = startContainer(options)
  const code = await container.ended
  return { code, output: container.lines.join('\n') }
}
