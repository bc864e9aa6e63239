/** Networks of the loopback, as coarse as auth keeps them: whoever comes from there sits at the machine itself, or behind a proxy that does not tell. */
const loopback: ReadonlySet<string> = new Set(['::/48', '127.0.0.0/24'])

/** The network that a session is from, where it says anything about where its person was. */
export function networkOf({ network }: { readonly network: string }): string {
  return loopback.has(network) ? '' : network
}
