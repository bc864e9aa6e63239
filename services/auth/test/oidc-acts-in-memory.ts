import { createHash, createHmac, createSecretKey, randomUUID } from 'node:crypto'
import { create } from '@bufbuild/protobuf'
import { type User, UserSchema } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import type { BrowserSession, Consent, LibraryMetadata, NewGrant, OidcActs, Payload, Resource } from '../src/core/oidc/oidc-parts.ts'
import { subjectFor } from '../src/core/oidc/people/pairwise-subject.ts'

/** A session of a browser, as a test changes it. */
export type SessionRow = { -readonly [Member in keyof BrowserSession]: BrowserSession[Member] }

/** What core does for the library, in one process's memory: for tests of what the library calls and when. */
export interface ActsInMemory extends OidcActs {
  /** What was called, in its order: `records.save Interaction`. */
  readonly calls: string[]
  readonly kept: Map<string, { payload: Payload; consumed: boolean }>
  readonly sessionRows: Map<string, SessionRow>
  readonly grantRows: Map<string, NewGrant>
  readonly clientRows: Map<string, LibraryMetadata>
  readonly consents: Map<string, Consent>
  readonly resources: Map<string, Resource>
  /** Whether devices ask no sooner than they may. */
  patient: boolean
  /** What the user service answers: an error is thrown. */
  answer: (id: string) => User | undefined
  openSession(changes?: Partial<SessionRow>): SessionRow
}

const secret = createSecretKey(Buffer.alloc(32, 5))

export function actsInMemory(): ActsInMemory {
  const calls: string[] = []
  const kept: ActsInMemory['kept'] = new Map()
  const sessionRows: ActsInMemory['sessionRows'] = new Map()
  const grantRows: ActsInMemory['grantRows'] = new Map()
  const clientRows: ActsInMemory['clientRows'] = new Map()
  const consents: ActsInMemory['consents'] = new Map()
  const resources: ActsInMemory['resources'] = new Map()
  const proofs = new Set<string>()
  const ensured = new Map<string, string>()
  const cookieOf = (_: string, id: string, generation: number) => `gho_${id}.${generation}`
  const successors = new Map<string, string>()
  const isSpent = (id: string) => kept.get(`RefreshToken ${successors.get(id)}`)?.consumed === true
  const note = (call: string) => void calls.push(call)

  const acts: ActsInMemory = {
    calls,
    kept,
    sessionRows,
    grantRows,
    clientRows,
    consents,
    resources,
    patient: true,
    answer: (id) => create(UserSchema, { id, name: 'Ada', email: 'ada@example.com' }),
    openSession(changes = {}) {
      const now = Date.now()
      const begun = new Date(now - 1000)
      const times = { authTime: begun, createTime: begun, lastUseTime: begun, expireTime: new Date(now + 3_600_000) }
      const row: SessionRow = {
        id: randomUUID(),
        userId: randomUUID(),
        generation: 0,
        amr: ['pwd'],
        state: undefined,
        clients: {},
        ...times,
        ...changes,
      }
      sessionRows.set(row.id, row)
      return row
    },
    records: {
      async save(_, kind, id, payload) {
        note(`records.save ${kind}`)
        const { jti: _stripped, ...rest } = payload
        kept.set(`${kind} ${id}`, { payload: structuredClone(rest), consumed: false })
        return 'saved'
      },
      async find(_, kind, id, options) {
        note(`records.find ${kind}${options?.refs ? ' or ref' : ''}`)
        const found = kept.get(`${kind} ${id}`)
        const hidden = kind === 'RefreshToken' && !isSpent(id)
        return found && { ...structuredClone(found.payload), jti: id, ...(found.consumed && !hidden && { consumed: 1 }) }
      },
      async findByUserCode(_, userCode) {
        for (const [key, { payload }] of kept)
          if (key.startsWith('DeviceCode ') && payload.userCode === userCode)
            return { ...structuredClone(payload), jti: key.slice('DeviceCode '.length) }
        return undefined
      },
      async consume(_, kind, id) {
        note(`records.consume ${kind}`)
        const found = kept.get(`${kind} ${id}`)
        if (found === undefined) return 'gone'
        if (found.consumed) return 'replayed'
        found.consumed = true
        return 'consumed'
      },
      async rotate(_, id, successorOf) {
        note('records.rotate')
        const found = kept.get(`RefreshToken ${id}`)
        if (found === undefined) return 'gone'
        if (isSpent(id)) return 'reused'
        found.consumed = true
        successors.set(id, successorOf(secret))
        return { secret }
      },
      mayPoll: async () => acts.patient,
      async destroy(_, kind, id) {
        note(`records.destroy ${kind}`)
        kept.delete(`${kind} ${id}`)
      },
      async firstTime(_, key) {
        const name = Buffer.from(key).toString('hex')
        const first = !proofs.has(name)
        proofs.add(name)
        return first
      },
    },
    sessions: {
      cookieOf,
      async findByCookie(_, value) {
        note('sessions.findByCookie')
        return [...sessionRows.values()].find(({ id, generation }) => cookieOf('', id, generation) === value)
      },
      async findById(_, id) {
        note('sessions.findById')
        return sessionRows.get(id)
      },
      sidOf: (_, sessionId, clientId) => createHmac('sha256', secret).update(`${sessionId} ${clientId}`).digest('base64url'),
      sidsOf: (...of) => [acts.sessions.sidOf(...of)],
      async save(_, id, { state, clients = {} }) {
        note('sessions.save')
        const row = sessionRows.get(id)
        if (row === undefined) return
        if (state !== undefined) row.state = state ?? undefined
        const merged = Object.entries(clients).map(([client, { grantId, persistsLogout = false }]) => [client, { grantId, persistsLogout }])
        row.clients = { ...row.clients, ...Object.fromEntries(merged) }
      },
      async touch() {
        note('sessions.touch')
      },
      async end(_, id) {
        note('sessions.end')
        sessionRows.delete(id)
      },
    },
    grants: {
      async ensure(_, { sessionId, clientId }) {
        const key = `${sessionId} ${clientId}`
        const id = ensured.get(key) ?? randomUUID()
        ensured.set(key, id)
        return id
      },
      async find(_, id) {
        const row = grantRows.get(id)
        return row && { ...structuredClone(row.payload), jti: id }
      },
      async save(_, grant) {
        note('grants.save')
        grantRows.set(grant.id, structuredClone(grant))
        return true
      },
      async end(_, which, cause) {
        note(`grants.end ${cause}`)
        if ('ids' in which) for (const id of which.ids) grantRows.delete(id)
      },
      consent: {
        find: async (_, { userId, clientId }) => consents.get(`${userId} ${clientId}`),
        async remember(_, { userId, clientId }, consent) {
          consents.set(`${userId} ${clientId}`, consent)
        },
      },
    },
    logouts: {
      async enqueue(_, { clientId }) {
        note(`logouts.enqueue ${clientId}`)
      },
    },
    clients: {
      known: async (_, id) => clientRows.get(id),
      pairwise: true,
      subject: (_, client, userId) => subjectFor(secret.export(), { tenant: 'default', client, userId }),
      secretFits: (secrets, presented) => secrets.some(({ hash }) => hash === createHash('sha256').update(presented).digest('base64url')),
      resource: async (_, client, resource) => (client.gatehouse_resources.includes(resource) ? resources.get(resource) : undefined),
    },
    registration: {
      judge: () => Promise.reject(new TypeError('nobody registers here')),
      register: () => Promise.reject(new TypeError('nobody registers here')),
    },
    tokens: {
      async revoke() {
        note('tokens.revoke')
      },
      async noteExchange() {
        note('tokens.noteExchange')
      },
    },
    people: {
      async account(_, id) {
        note('people.account')
        return acts.answer(id)
      },
      claims: async (_, user, scopes) => ({
        name: user.name,
        ...(scopes.includes('email') && { email: user.email, email_verified: true }),
      }),
    },
  }
  return acts
}

/** A client with a secret, as the library knows it. */
export function clientOf(id: string, changes: Readonly<Record<string, unknown>> = {}): LibraryMetadata {
  return {
    client_id: id,
    redirect_uris: ['https://rp.example/callback'],
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic',
    gatehouse_secrets: [{ hash: createHash('sha256').update(`secret of ${id}`).digest('base64url'), expire: null }],
    gatehouse_first_party: false,
    gatehouse_origins: [],
    gatehouse_resources: [],
    gatehouse_introspects: [],
    gatehouse_id_token_seconds: 0,
    gatehouse_claims_in_id_token: false,
    gatehouse_min_strength: 0,
    gatehouse_conformance: false,
    ...changes,
  }
}
