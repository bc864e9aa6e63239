import { execFileSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'

/** Why images cannot be built and started on this machine, in a sentence; nothing where they can. */
export function obstacle(): string | undefined {
  if (process.platform !== 'linux') return 'images are tried on Linux alone'
  if (process.getuid?.() !== 0) return 'building and starting an image takes root'
  try {
    // What both buildah's chroot isolation and the containers below ask of the kernel.
    execFileSync('unshare', ['--mount', '--pid', '--fork', 'true'], { stdio: 'ignore' })
  } catch {
    return 'this machine lets nobody make a mount namespace'
  }
  try {
    accessSync('/usr/bin/apt-get', constants.X_OK)
  } catch {
    return 'buildah is brought from Debian, and there is no apt-get here'
  }
  return undefined
}
