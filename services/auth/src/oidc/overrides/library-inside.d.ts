// What the library's types leave out.
declare module 'oidc-provider/lib/helpers/challenge.js' {
  /** Nonces of the last minutes, out of a secret of 32 bytes. */
  // biome-ignore lint/style/noDefaultExport: it is the library's
  export default class ServerChallenge {
    constructor(secret: Buffer, info: string)
    nextChallenge(): string
    checkChallenge(challenge: string): boolean
  }
}

declare module 'oidc-provider/lib/helpers/weak_cache.js' {
  import type Provider from 'oidc-provider'
  import type ServerChallenge from 'oidc-provider/lib/helpers/challenge.js'

  /** What a provider keeps to itself. */
  // biome-ignore lint/style/noDefaultExport: it is the library's
  export default function instance(provider: Provider): { readonly DPoPNonces: ServerChallenge }
}
