import { createHash } from 'node:crypto'
import { transact } from '@gatehouse/postgres'
import { deleteRecord } from '../../store/oidc/records.ts'
import { addReplay } from '../../store/oidc/single-use.ts'
import type { Deps } from '../deps.ts'
import { resolveActivePerson } from '../people/resolve-person.ts'
import { secretFits } from './clients/client-secret.ts'
import { createKnownClients } from './clients/known-client.ts'
import { createKnownResources } from './clients/known-resources.ts'
import { noteExchange } from './exchange-token.ts'
import { findConsent, rememberConsent } from './grants/consents.ts'
import { endGrants } from './grants/end-grants.ts'
import { ensureGrant, findGrant } from './grants/find-grant.ts'
import { saveGrant } from './grants/save-grant.ts'
import { enqueueLogout } from './logout/enqueue-logout.ts'
import type { OidcActs } from './oidc-parts.ts'
import { claimsOfPerson } from './people/claims-of-person.ts'
import { subjectFor } from './people/pairwise-subject.ts'
import { consumeRecord } from './records/consume-record.ts'
import { findByUserCode, findRecord } from './records/find-record.ts'
import { mayPoll } from './records/may-poll.ts'
import { keyOfRecord } from './records/record-hash.ts'
import { rotateRefreshRecord } from './records/rotate-refresh-record.ts'
import { saveRecord } from './records/save-record.ts'
import { judgeMetadata } from './registration/judge-metadata.ts'
import { defaultRegistrationQuota } from './registration/quota.ts'
import { registerClient } from './registration/register-client.ts'
import { revokeJwt } from './revoke-jwt.ts'
import { browserCookie, clientSid } from './sessions/browser-cookie.ts'
import { findBrowserSession, findByCookie } from './sessions/find-browser-session.ts'
import { endBrowserSession, saveBrowserSession } from './sessions/save-browser-session.ts'
import { touchSession } from './sessions/touch-session.ts'

export interface ActOptions {
  readonly registrationQuota?: number
  /** What of our own network may be called: a program that registers itself may be there. */
  readonly egressAllow?: readonly string[]
  /** Pairwise ids follow from it: under another key everybody is somebody else to their clients. */
  readonly pairwiseKey?: Uint8Array | undefined
}

/** What the library's door calls, over the database. */
export function createOidcActs(
  deps: Deps,
  { registrationQuota = defaultRegistrationQuota, egressAllow, pairwiseKey }: ActOptions = {},
): OidcActs {
  return {
    records: {
      save: (tenant, kind, id, payload, ttlSeconds) => saveRecord(deps, { tenant, kind, id, payload, ttlSeconds }),
      find: (tenant, kind, id, options) => findRecord(deps, { tenant, kind, id, ...options }),
      findByUserCode: (tenant, userCode) => findByUserCode(deps, tenant, userCode),
      consume: (tenant, kind, id) => consumeRecord(deps, { tenant, kind, id }),
      rotate: (tenant, id, successorOf) => rotateRefreshRecord(deps, { tenant, id, successorOf }),
      mayPoll: (tenant, deviceCode) => mayPoll(deps, tenant, deviceCode),
      destroy: (tenant, kind, id) => deleteRecord(deps.db, { tenant, kind, hash: keyOfRecord(deps, tenant, id) }),
      firstTime: (tenant, key, until) =>
        addReplay(deps.db, { tenant, key_hash: createHash('sha256').update(key).digest(), expire_time: until, now: new Date(deps.now()) }),
    },
    sessions: {
      cookieOf: (tenant, sessionId, generation) => browserCookie(deps, tenant, sessionId, generation),
      findByCookie: (tenant, value) => findByCookie(deps, tenant, value),
      findById: (tenant, id) => findBrowserSession(deps, { tenant, id }),
      sidOf: (tenant, sessionId, clientId) => clientSid(deps.challengeKeys.current, tenant, sessionId, clientId),
      sidsOf: (tenant, sessionId, clientId) => deps.challengeKeys.accepted.map((key) => clientSid(key, tenant, sessionId, clientId)),
      save: (tenant, id, change) => saveBrowserSession(deps, { tenant, id }, change),
      touch: (tenant, session) => touchSession(deps, tenant, session),
      end: (tenant, id) => endBrowserSession(deps, { tenant, id }),
    },
    grants: {
      ensure: (tenant, of) => ensureGrant(deps, { tenant, ...of }),
      find: (tenant, id) => findGrant(deps, { tenant, id }),
      save: (tenant, grant) => saveGrant(deps, { tenant, ...grant }),
      async end(tenant, which, cause) {
        const ended = await transact(deps.db, (tx) => endGrants(tx, deps, { tenant, ...which }, { cause }))
        if (ended.length > 0) deps.committed()
      },
      consent: {
        find: (tenant, of) => findConsent(deps, { tenant, ...of }),
        remember: (tenant, of, consent) => transact(deps.db, (tx) => rememberConsent(tx, { tenant, ...of }, consent, new Date(deps.now()))),
      },
    },
    logouts: { enqueue: (tenant, of) => enqueueLogout(deps, { tenant, ...of }) },
    clients: {
      known: createKnownClients(deps),
      pairwise: pairwiseKey !== undefined,
      subject: (tenant, client, userId) => subjectFor(pairwiseKey, { tenant, client, userId }),
      secretFits: (secrets, presented) => secretFits(deps.now(), secrets, presented),
      resource: createKnownResources(deps),
    },
    registration: {
      judge: (tenant, asked) =>
        judgeMetadata(deps, { tenant, asked }, { pairwise: pairwiseKey !== undefined, ...(egressAllow && { egressAllow }) }),
      register: (tenant, of) => registerClient(deps, { tenant, ...of }, registrationQuota),
    },
    tokens: {
      revoke: (tenant, of) => revokeJwt(deps, { tenant, ...of }),
      noteExchange: (tenant, exchange) => noteExchange(deps, tenant, exchange),
    },
    people: {
      account: (tenant, userId) => resolveActivePerson(deps, { tenant, userId }),
      claims: (tenant, user, scopes) => claimsOfPerson(deps, tenant, user, scopes),
    },
  }
}
