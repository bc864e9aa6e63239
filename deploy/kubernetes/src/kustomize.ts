import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Builds a folder with the kustomize at that path; the text is what `kubectl apply` takes. */
export async function build(kustomize: string, folder: string): Promise<string> {
  const { stdout } = await run(kustomize, ['build', folder], { maxBuffer: 16 * 1024 * 1024 })
  return stdout
}
