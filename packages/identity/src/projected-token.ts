import { readFile } from 'node:fs/promises'
import type { WorkloadSigner } from './workload.ts'

/**
 * Shows the tokens that Kubernetes projects into the pod, in place of tokens of our own. `tokenFile` is a path in which `{peer}` stands for the service
 * that is called, so that each gets a token that is good at no other. The kubelet renews the files; they are read again after a while.
 */
export function createProjectedSigner(name: string, tokenFile: string, rereadMs = 10_000): WorkloadSigner {
  const held = new Map<string, { readonly token: Promise<string>; readonly readTime: number }>()
  return {
    name,
    async tokenFor(audience) {
      const file = tokenFile.replaceAll('{peer}', audience)
      const known = held.get(file)
      if (known && performance.now() - known.readTime < rereadMs) return await known.token
      const token = readFile(file, 'utf8').then((text) => text.trim())
      held.set(file, { token, readTime: performance.now() })
      // A file that could not be read is looked for again by the next call.
      token.catch(() => held.delete(file))
      return await token
    },
  }
}
