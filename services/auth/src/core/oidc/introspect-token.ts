import { hash } from 'node:crypto'
import { type InspectedToken, type TokenInspector, TokenInvalid } from '@gatehouse/identity'
import { validate as isUuid } from 'uuid'
import type { Deps } from '../deps.ts'
import type { LibraryMetadata, OidcActs } from './oidc-parts.ts'
import { isPairwise } from './people/pairwise-subject.ts'
import { isHarmless } from './records/find-record.ts'
import { type FoundToken, foundByHash, foundSigned } from './tokens/found-token.ts'

/** Finds out what a token is good for at this moment; undefined of one that is good for nothing. */
export type LookAtToken = (tenant: string, token: string) => Promise<FoundToken | undefined>

/** Longer texts are no tokens of ours. */
const longest = 8 * 1024

export interface LookParts {
  readonly deps: Pick<Deps, 'batches' | 'now' | 'lifetimes'>
  readonly inspector: TokenInspector
  readonly clients: Pick<OidcActs['clients'], 'known' | 'subject'>
}

/**
 * Looks at tokens of a tenant: signed ones are verified once and remembered, and what of either kind may have ended is asked at each look, with all others of the turn.
 * A token ends with its grant, its session and its client, whoever signed it and whatever it says.
 */
export function createTokenLook({ deps, inspector, clients }: LookParts): LookAtToken {
  return async (tenant, token) => {
    if (token === '' || token.length > longest) return undefined
    const found = token.includes('.') ? await lookAtSigned(tenant, token) : await lookUp(tenant, token)
    if (found === undefined || found.clientId === undefined) return found
    const client = await clients.known(tenant, found.clientId)
    if (client === undefined) return undefined
    return isPairwise(client) ? asKnownTo(client, found, tenant) : found
  }

  /** Whoever may look at a token learns no more of its person than the client that it was given to, nor by which session another client knows them. */
  function asKnownTo(client: LibraryMetadata, found: FoundToken, tenant: string): FoundToken {
    const { sub, gid } = found.claims
    // A program's own token is about nobody.
    if (gid === undefined) return found
    return { ...found, isPairwise: true, claims: { ...found.claims, sub: clients.subject(tenant, client, String(sub)), sid: gid } }
  }

  async function lookUp(tenant: string, token: string): Promise<FoundToken | undefined> {
    const row = await deps.batches.oidcToken({ tenant, hash: hash('sha256', token, 'buffer'), now: new Date(deps.now()) })
    if (row === undefined || (row.consume_time !== null && !isHarmless(deps, row))) return undefined
    return foundByHash(row, tenant)
  }

  async function lookAtSigned(tenant: string, text: string): Promise<FoundToken | undefined> {
    const inspected = inspector.known(text) ?? (await inspect(inspector, text))
    if (inspected === undefined) return undefined
    const { tenant: issuedBy, tokenId = '', grantId = null, sessionId, generation } = inspected.person
    if (issuedBy !== tenant || !isUuid(tokenId)) return undefined
    const ends = { tenant, tokenId, grantId: uuidOr(grantId), sessionId: uuidOr(sessionId), now: new Date(deps.now()) }
    const goingOn = await deps.batches.signedToken(ends)
    return goingOn === undefined || generation < goingOn.generation ? undefined : foundSigned(inspected)
  }
}

/** Undefined of whatever is no token of ours. That keys cannot be had is no answer, and is thrown. */
export async function inspect(inspector: TokenInspector, text: string): Promise<InspectedToken | undefined> {
  try {
    return await inspector.inspect(text)
  } catch (error) {
    if (error instanceof TokenInvalid) return undefined
    throw error
  }
}

/** Somebody of ours who signed a name that is none names nothing that goes on. */
const nobody = '00000000-0000-0000-0000-000000000000'

function uuidOr(id: string | null): string | null {
  if (id === null || id === '') return null
  return isUuid(id) ? id : nobody
}

/** A client, as far as it decides what it may look at. */
export type Onlooker = Pick<LibraryMetadata, 'client_id' | 'gatehouse_introspects'> & { readonly isPublic: boolean }

/** Tokens of its own, and access tokens of the audiences that it was registered to look at; `*` is all of them. */
export function mayLookAt({ client_id: id, isPublic, gatehouse_introspects: audiences }: Onlooker, token: FoundToken): boolean {
  if (token.clientId === id) return true
  if (isPublic || token.kind === 'refresh') return false
  return audiences.includes('*') || (token.audience !== undefined && audiences.includes(token.audience))
}
