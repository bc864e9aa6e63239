import { createHash, randomUUID } from 'node:crypto'
import { createApiKey, createApiKeyVerifier, createRevocationList, type ResolvedKey } from '@gatehouse/identity'
import { answerParent, type CommonActs } from './answer-parent.ts'

/** Verifies API keys as our doors do, and as barely as can be. */
export interface VerifyApiKeysActs extends CommonActs {
  /** Makes so many different keys. */
  prepare(count: number): Promise<void>
  /** Keys a second, one after the other. */
  run(order: { readonly side: Side; readonly seconds: number }): Promise<number>
}

type Side = 'seen before' | 'garbage' | 'bare'

const accounts = new Map<string, string>()
const bare = new Map<string, string>()
const keys: { readonly key: string; readonly account: string }[] = []

const verifier = createApiKeyVerifier({
  resolve: async (id): Promise<ResolvedKey | undefined> => {
    const serviceAccountId = accounts.get(id)
    const held = { tenant: 'default', serviceAccountName: 'bench', scopes: ['user.users.read'], permissions: ['user.users.read'] }
    return serviceAccountId === undefined ? undefined : { ...held, serviceAccountId }
  },
  changes: { ...createRevocationList(), connected: true },
})

answerParent<Omit<VerifyApiKeysActs, 'usage'>>({
  async prepare(count) {
    for (let number = 0; number < count; number++) {
      const [id, account] = [randomUUID(), randomUUID()]
      const { key } = createApiKey(id)
      accounts.set(id, account)
      bare.set(createHash('sha256').update(key).digest('base64url'), account)
      keys.push({ key, account })
    }
  },
  async run({ side, seconds }) {
    const verify = verifierOf(side)
    const end = performance.now() + seconds * 1000
    const began = performance.now()
    let count = 0
    for (; performance.now() < end; count++) {
      const { key = '', account } = keys[count % keys.length] ?? {}
      const found = await verify(key)
      if (found !== (side === 'garbage' ? '' : account)) throw new Error(`verified as ${found}`)
    }
    return (count / (performance.now() - began)) * 1000
  },
})

function verifierOf(side: Side): (key: string) => Promise<string> {
  // The bare floor: no rules, no end, no revocation, no person.
  if (side === 'bare') return async (key) => bare.get(createHash('sha256').update(key).digest('base64url')) ?? ''
  if (side === 'seen before') return async (key) => (verifier.known(key) ?? (await verifier.verify(key))).id
  return async (key) => {
    const last = key.endsWith('0') ? '1' : '0'
    return await verifier.verify(key.slice(0, -1) + last).then(
      ({ id }) => id,
      () => '',
    )
  }
}
