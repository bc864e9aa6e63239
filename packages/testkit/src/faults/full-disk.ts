import { spawn } from 'node:child_process'
import { chown, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { whenOwnerDies } from './when-owner-dies.ts'

/** A folder on a small disk of its own. */
export type SmallDisk = AsyncDisposable & {
  readonly path: string
  /** Takes what room is left; settles when there is none. */
  readonly fill: () => Promise<void>
  /** Gives that room back. Calling twice is harmless. */
  readonly free: () => Promise<void>
}

export type SmallDiskOptions = {
  readonly bytes: number
  /** Whose it is; ours unless given. */
  readonly owner?: { readonly uid: number; readonly gid: number }
}

/** Mounts a disk of this size, in memory. Undefined where that is not allowed: whoever goes without says so. It goes when this process dies. */
export async function smallDisk({ bytes, owner }: SmallDiskOptions): Promise<SmallDisk | undefined> {
  const path = await mkdtemp(join(tmpdir(), 'gatehouse-disk-'))
  if (!(await succeeds('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path]))) {
    await rm(path, { recursive: true })
    return undefined
  }
  // Lazily: a program that died with us may have files open a moment longer.
  const takeBack = whenOwnerDies('umount -l "$1" && rmdir "$1"', [path])
  if (owner) await chown(path, owner.uid, owner.gid)
  const ballast = join(path, 'ballast')
  return {
    path,
    fill: () => writeUntilFull(ballast),
    free: () => rm(ballast, { force: true }),
    async [Symbol.asyncDispose]() {
      if (!(await succeeds('umount', ['-l', path]))) throw new Error(`the disk at ${path} could not be unmounted`)
      takeBack()
      await rm(path, { recursive: true })
    },
  }
}

async function writeUntilFull(file: string): Promise<void> {
  await using ballast = await open(file, 'a')
  for (let size = 1024 * 1024; size >= 1; ) {
    try {
      const { bytesWritten } = await ballast.write(Buffer.alloc(size))
      if (bytesWritten < size) size = Math.floor(size / 2)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      size = Math.floor(size / 2)
    }
  }
}

const succeeds = (command: string, args: readonly string[]): Promise<boolean> =>
  new Promise((resolve) => {
    spawn(command, args, { stdio: 'ignore' })
      .once('error', () => resolve(false))
      .once('close', (code) => resolve(code === 0))
  })
