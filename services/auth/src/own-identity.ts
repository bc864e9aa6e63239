import { setTimeout as delay } from 'node:timers/promises'
import { followIssuers } from '@gatehouse/identity'
import type { Service, ServiceIdentity } from '@gatehouse/service'
import { type AuthConfig, encryptionKeysOf } from './config.ts'
import { createKeyRing, type KeyRing } from './core/keys/key-ring.ts'
import { closedKeyIn } from './core/keys/sealed-box.ts'
import { type LimitFeed, startLimitFeed } from './core/policies/limit-feed.ts'
import { type RevocationFeed, startRevocationFeed } from './core/revocations/revocation-feed.ts'
import { defaultTenant, ensureDefaultTenant } from './core/tenants/create-tenant.ts'
import { listIssuers } from './core/tenants/list-issuers.ts'
import type { Schema } from './store/schema.ts'

/** What the other services ask auth for, auth reads from its own database. */
export interface OwnIdentity extends ServiceIdentity {
  readonly keys: KeyRing
  readonly feed: RevocationFeed
  readonly limitFeed: LimitFeed
}

const issuersReadEveryMs = 5_000
const longestWaitMs = 5_000

/** The issuers and revocations by which auth's own doors verify, and what they are made of. The schema need not be there yet. */
export function openIdentity(
  service: Pick<Service<Schema>, 'db' | 'clock' | 'log'>,
  config: AuthConfig,
  parts: AsyncDisposableStack,
): OwnIdentity {
  const { db, clock, log } = service
  const keys = createKeyRing({ db, now: clock.now, log, ...encryptionKeysOf(config) })
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
      { intervalMs: issuersReadEveryMs },
    ),
  )
  // Trying again does not help where no key opens: such a service must not start. One that runs goes on verifying: that takes public keys only.
  function rejectIfHopeless(error: unknown): void {
    const closed = closedKeyIn(error)
    if (closed === undefined) throw error
    known.reject(closed)
  }
  const feed = parts.use(startRevocationFeed({ db, log, tokenLifeSeconds: config.accessTokenLifetime / 1000 }))
  // The doors open when the first look has been taken; should Postgres leave just then, they open without.
  const ready = Promise.race([Promise.all([known.promise, feed.ready]), delay(longestWaitMs, undefined, { ref: false })])
  ready.catch(() => {})
  const revocations = { ...feed.list, ready }
  const limitFeed = parts.use(startLimitFeed({ db, log }))
  return { issuers, revocations, limitOverrides: limitFeed.overrides, keys, feed, limitFeed }
}
