import { setTimeout as delay } from 'node:timers/promises'
import { followIssuers } from '@gatehouse/identity'
import type { Service, ServiceIdentity } from '@gatehouse/service'
import type { AuthConfig } from './config.ts'
import { type AccessFeed, startAccessFeed } from './core/access/access-feed.ts'
import { resolveApiKey } from './core/api-keys/resolve-api-key.ts'
import { createKeyRing, type KeyRing } from './core/keys/key-ring.ts'
import { closedKeyIn } from './core/keys/sealed-box.ts'
import { type LimitFeed, startLimitFeed } from './core/policies/limit-feed.ts'
import { type RevocationFeed, startRevocationFeed } from './core/revocations/revocation-feed.ts'
import { longestTokenSeconds } from './core/sessions/revoke-sessions.ts'
import { defaultTenant, ensureDefaultTenant } from './core/tenants/create-tenant.ts'
import { listIssuers } from './core/tenants/list-issuers.ts'
import { readRegistry } from './core/workloads/list-workloads.ts'
import type { EncryptionKeys } from './encryption-keys.ts'
import type { Schema } from './store/schema.ts'

/** What the other services ask auth for, auth reads from its own database. */
export interface OwnIdentity extends ServiceIdentity {
  readonly keys: KeyRing
  readonly feed: RevocationFeed
  readonly accessFeed: AccessFeed
  readonly limitFeed: LimitFeed
}

const issuersReadEveryMs = 5_000
const longestWaitMs = 5_000

/** The issuers, revocations and bindings by which auth's own doors verify, and what they are made of. The schema need not be there yet. */
export function openIdentity(
  service: Pick<Service<Schema>, 'db' | 'clock' | 'log'>,
  config: AuthConfig,
  encryptionKeys: EncryptionKeys,
  parts: AsyncDisposableStack,
): OwnIdentity {
  const { db, clock, log } = service
  const keys = createKeyRing({ db, now: clock.now, log, ...encryptionKeys })
  const deps = { db, keys, now: clock.now }
  const known = Promise.withResolvers<void>()
  let ensured = false
  const issuers = parts.use(
    followIssuers(
      async () => {
        if (!ensured) await ensureDefaultTenant(deps, config.publicOrigin).catch(rejectIfHopeless)
        ensured = true
        const records = await listIssuers(deps)
        await keys.signer(defaultTenant).then(() => known.resolve(), rejectIfHopeless)
        return records
      },
      {
        intervalMs: issuersReadEveryMs,
        onSkippedKey: (key) => log.warn(key, 'a published key is passed over: tokens that it signed are refused'),
      },
    ),
  )
  // Trying again does not help where no key opens: such a service must not start. One that runs goes on verifying: that takes public keys only.
  function rejectIfHopeless(error: unknown): void {
    const closed = closedKeyIn(error)
    if (closed === undefined) throw error
    known.reject(closed)
  }
  const feed = parts.use(
    startRevocationFeed({ db, log, tokenLifeSeconds: Math.max(config.accessTokenLifetime / 1000, longestTokenSeconds) }),
  )
  const accessFeed = parts.use(startAccessFeed({ db, log, now: clock.now }))
  const limitFeed = parts.use(startLimitFeed({ db, log }))
  // The doors open when the first look has been taken; should Postgres leave just then, they open without.
  const ready = Promise.race([Promise.all([known.promise, feed.ready, accessFeed.ready]), delay(longestWaitMs, undefined, { ref: false })])
  ready.catch(() => {})
  const revocations = {
    ...feed.list,
    ready,
    get connected() {
      return feed.connected
    },
  }
  return {
    issuers,
    revocations,
    access: accessFeed.directory,
    limitOverrides: limitFeed.overrides,
    keys,
    feed,
    accessFeed,
    limitFeed,
    resolveApiKey: (keyId, keyHash) => resolveApiKey({ db, now: clock.now, log }, { keyId, keyHash }),
    async readRegistry(version) {
      const { rows, ...rest } = await readRegistry({ db }, version)
      return { ...rest, workloads: rows }
    },
  }
}
