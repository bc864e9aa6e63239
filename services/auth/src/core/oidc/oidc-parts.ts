import type { KeyObject } from 'node:crypto'
import type { User } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import type { InspectedToken } from '@gatehouse/identity'
import type { GrantEndCause, RecordKind } from '../../store/oidc/oidc-tables.ts'
import type { Exchange } from './exchange-token.ts'
import type { JudgedClient } from './registration/judge-metadata.ts'
import type { Registered } from './registration/register-client.ts'

export type { GrantEndCause, RecordKind }

/** What the library keeps of one of its models: JSON. */
export type Payload = Readonly<Record<string, unknown>>

/** A client as the library knows it (RFC 7591), with what is ours under names of our own. No secret is in it. */
export interface LibraryMetadata extends Payload {
  readonly client_id: string
  readonly gatehouse_secrets: readonly SecretHash[]
  readonly gatehouse_first_party: boolean
  /** Origins whose pages may call for it. */
  readonly gatehouse_origins: readonly string[]
  readonly gatehouse_resources: readonly string[]
  readonly gatehouse_introspects: readonly string[]
  /** How long its ID tokens live. */
  readonly gatehouse_id_token_seconds: number
  readonly gatehouse_claims_in_id_token: boolean
  /** `Strength` of the contract that a sign-in from there has to have; 0 for whichever. */
  readonly gatehouse_min_strength: number
  readonly gatehouse_conformance: boolean
}

/** A living secret. */
export interface SecretHash {
  /** SHA-256 in base64url. */
  readonly hash: string
  /** Milliseconds since 1970; null where it has no end. */
  readonly expire: number | null
}

/** A signed-in browser: a session of ours that goes on by what the tenant's policy says now, and is as strong as it asks. */
export interface BrowserSession {
  readonly id: string
  readonly userId: string
  readonly generation: number
  readonly authTime: Date
  readonly amr: readonly string[]
  readonly createTime: Date
  readonly lastUseTime: Date
  /** When it ends if nobody uses it. */
  readonly expireTime: Date
  /** What the library keeps against forged forms. */
  readonly state: Payload | undefined
  /** What it uses, by client id. */
  readonly clients: Readonly<Record<string, SessionClient>>
}

export interface SessionClient {
  readonly grantId: string | undefined
  readonly persistsLogout: boolean
}

export interface SessionChange {
  /** Left out stays what it is, null is removed. */
  readonly state?: Payload | null
  /** What is not named stays. */
  readonly clients?: Readonly<Record<string, { readonly grantId?: string | undefined; readonly persistsLogout?: boolean | undefined }>>
}

/** What a person let a client do in a session, or for longer. */
export interface NewGrant {
  /** From {@link OidcActs.grants.ensure}. */
  readonly id: string
  readonly sessionId: string
  /** With `accountId` and `clientId`; who allowed `offline_access` in it has it outlive the session. */
  readonly payload: Payload
  readonly ttlSeconds: number
  /** Where the person was asked: remembered in the same transaction. */
  readonly consent?: Consent
}

/** Which grants of a tenant: of the person, of the client, or by their ids. */
export type WhichGrants =
  | { readonly ids: readonly string[] }
  | { readonly userId: string; readonly clientId?: string; readonly givenUntil?: Date }
  | { readonly clientId: string }

/** What a person answered when they were asked. */
export interface Consent {
  readonly scopes: readonly string[]
  readonly claims: readonly string[]
  /** Scopes, separated by spaces, by resource indicator. */
  readonly resources: Readonly<Record<string, string>>
}

export interface FindOptions {
  /** Takes a record's inner handle too. Never where a client's word is taken for the id: a handle is no secret to whoever reads the database. */
  readonly refs?: boolean
}

/** `replayed`: it was used before, and what it was good for has ended. `gone`: unknown or expired, and nothing happened. */
export type Consumed = 'consumed' | 'replayed' | 'gone'

/** What the library's door calls. `t` is the tenant; ids are the tokens, codes and cookies themselves, of which the store keeps SHA-256 only. */
export interface OidcActs {
  readonly records: {
    /**
     * Adds a record; of an interaction, an anonymous session and a device code it changes the one that is there. A device code that somebody else decided is refused with `'taken'`: of two
     * who approve one, one does.
     */
    save(t: string, kind: RecordKind, id: string, payload: Payload, ttlSeconds: number): Promise<'saved' | 'taken'>
    /**
     * The payload with `jti` as it was asked for, and `consumed` (seconds since 1970) once it is used up. Nothing is found under a grant or a session that has ended. Expired ones are found for as long as they are kept: the library says so in words of its own. A refresh token that was used up a moment ago, and whose successor nobody has used, is found unused.
     */
    find(t: string, kind: RecordKind, id: string, options?: FindOptions): Promise<Payload | undefined>
    /** Its `jti` is a handle that {@link find}, {@link save} and {@link consume} take for the id. */
    findByUserCode(t: string, userCode: string): Promise<Payload | undefined>
    /** Uses up a code, a device code or a pushed request: one of any number at once. A second use ends the grant. */
    consume(t: string, kind: RecordKind, id: string): Promise<Consumed>
    /**
     * Uses up a refresh token. The successor is what `successorOf` makes of the secret: the same one for whoever repeats the call while that is harmless. `reused` has ended the grant.
     */
    rotate(t: string, id: string, successorOf: (secret: KeyObject) => string): Promise<{ readonly secret: KeyObject } | 'reused' | 'gone'>
    /** False where the device asks again too soon. Notes that it asked. */
    mayPoll(t: string, deviceCode: string): Promise<boolean>
    destroy(t: string, kind: RecordKind, id: string): Promise<void>
    /** Whether this proof or assertion comes for the first time. */
    firstTime(t: string, key: Uint8Array, until: Date): Promise<boolean>
  }
  readonly sessions: {
    /** Value of the browser's cookie: an HMAC, so that nothing is kept of it. Another generation of the session has another one. */
    cookieOf(t: string, sessionId: string, generation: number): string
    findByCookie(t: string, value: string): Promise<BrowserSession | undefined>
    findById(t: string, id: string): Promise<BrowserSession | undefined>
    /** What a client knows the session by: the same one for as long as it lives. */
    sidOf(t: string, sessionId: string, clientId: string): string
    /** Where a key is being replaced also what it was told, or is told by others, under the other one. */
    sidsOf(t: string, sessionId: string, clientId: string): readonly string[]
    save(t: string, id: string, change: SessionChange): Promise<void>
    /** Notes that it was used just now. Written once a minute. */
    touch(t: string, session: BrowserSession): Promise<void>
    /** Signs the person out there. */
    end(t: string, id: string): Promise<void>
  }
  readonly grants: {
    /** The id of the session's grant for the client: one for any number at once. */
    ensure(t: string, of: { readonly sessionId: string; readonly clientId: string }): Promise<string>
    /** With its `jti`; undefined where it has ended. */
    find(t: string, id: string): Promise<Payload | undefined>
    /** False where it has ended meanwhile: nothing brings it back. */
    save(t: string, grant: NewGrant): Promise<boolean>
    end(t: string, which: WhichGrants, cause: GrantEndCause): Promise<void>
    readonly consent: {
      find(t: string, of: { readonly userId: string; readonly clientId: string }): Promise<Consent | undefined>
      /** Adds to what was allowed before. */
      remember(t: string, of: { readonly userId: string; readonly clientId: string }, consent: Consent): Promise<void>
    }
  }
  readonly logouts: {
    /** Has a client told that somebody signed out there, though their session goes on. */
    enqueue(t: string, of: { readonly sessionId: string; readonly clientId: string; readonly userId: string }): Promise<void>
  }
  readonly clients: {
    /** Undefined of one that is disabled or deleted. A second old at most. */
    known(t: string, clientId: string): Promise<LibraryMetadata | undefined>
    /** Whether there is a key that pairwise ids follow from. */
    readonly pairwise: boolean
    /** The id by which a client knows somebody. */
    subject(t: string, client: LibraryMetadata, userId: string): string
    secretFits(secrets: readonly SecretHash[], presented: string): boolean
    /** A resource that the client may ask tokens for. */
    resource(t: string, client: Pick<LibraryMetadata, 'gatehouse_resources'>, resource: string): Promise<Resource | undefined>
  }
  readonly registration: {
    /** What a program that says this of itself may be; refuses what nobody may. */
    judge(t: string, asked: Payload): Promise<JudgedClient>
    /** Makes a client of it, by a token that is good for so many. */
    register(t: string, of: { readonly clientId: string; readonly token: string; readonly judged: JudgedClient }): Promise<Registered>
  }
  readonly tokens: {
    /** Ends a signed token of the client's own. One of somebody else stays as it is. */
    revoke(t: string, of: { readonly clientId: string; readonly token: InspectedToken }): Promise<void>
    /** Writes down that a client acts for somebody from now on. */
    noteExchange(t: string, exchange: Exchange): Promise<void>
  }
  readonly people: {
    /** Undefined of whoever may not sign in. Without an answer of the user service the call is refused. */
    account(t: string, id: string): Promise<User | undefined>
    claims(t: string, user: User, scopes: readonly string[]): Promise<Record<string, unknown>>
  }
}

/** What tokens can be for (RFC 8707). */
export interface Resource {
  readonly resource: string
  readonly audience: string
  readonly scopes: readonly string[]
  readonly lifetimeSeconds: number
}
