import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The oldest kustomize that reads these folders: components with several patches each, and labels in templates. */
const oldest = 5

/** Builds a folder with kustomize; the text is what it would apply. */
export async function build(kustomize: string, folder: string): Promise<string> {
  const { stdout } = await run(kustomize, ['build', folder], { maxBuffer: 16 * 1024 * 1024 })
  return stdout
}

/** Whether the program at this path is a kustomize that is new enough. */
export async function isKustomize(path: string): Promise<boolean> {
  try {
    const { stdout } = await run(path, ['version'])
    // Debian's says (devel), and is 5.8.1 or newer.
    const major = /^\{?v?(\d+)\./.exec(stdout.trim().replace(/^.*\/v/, ''))?.[1]
    return stdout.includes('(devel)') || Number(major) >= oldest
  } catch {
    return false
  }
}
