import { createHash, randomUUID } from 'node:crypto'
import * as secrets from '../../../services/auth/src/store/oidc/client-secrets.ts'
import * as clients from '../../../services/auth/src/store/oidc/clients.ts'
import * as consents from '../../../services/auth/src/store/oidc/consents.ts'
import { endGrantsOfSessions } from '../../../services/auth/src/store/oidc/ended-sessions.ts'
import * as expired from '../../../services/auth/src/store/oidc/expired-sessions.ts'
import * as grants from '../../../services/auth/src/store/oidc/grants.ts'
import { listClientsOfPerson } from '../../../services/auth/src/store/oidc/grants-of-person.ts'
import * as logouts from '../../../services/auth/src/store/oidc/logouts.ts'
import * as prune from '../../../services/auth/src/store/oidc/prune.ts'
import * as records from '../../../services/auth/src/store/oidc/records.ts'
import * as registrations from '../../../services/auth/src/store/oidc/registrations.ts'
import * as resources from '../../../services/auth/src/store/oidc/resources.ts'
import * as sessions from '../../../services/auth/src/store/oidc/session-clients.ts'
import * as single from '../../../services/auth/src/store/oidc/single-use.ts'
import * as tokens from '../../../services/auth/src/store/oidc/token-states.ts'
import type { Db } from '../../../services/auth/src/store/schema.ts'
import { idOf } from './a-million-grants.ts'

const tenant = 'default'
const now = new Date()
const ago = (days: number) => new Date(now.getTime() - days * 86_400_000)
const later = new Date(now.getTime() + 3_600_000)
const hashOf = (text: string) => createHash('sha256').update(text).digest()
const clientId = 'app-4'
const userId = idOf('user', 4)
const sessionId = idOf('session', 4)
const grantId = idOf('grant', 4)
/** Numbers of records of a kind: the last digit says which. */
const access = { tenant, hash: hashOf('10000'), kind: 'AccessToken' } as const
const code = { tenant, hash: hashOf('10007'), kind: 'AuthorizationCode' } as const
const device = { tenant, hash: hashOf('10009'), kind: 'DeviceCode' } as const
const rotation = { tenant, hash: hashOf('10005'), successorHash: hashOf('new'), keyVersion: 1, now }
const consent = { tenant, userId, clientId: 'app-0' }
const logout = { tenant, session_id: idOf('session', 100), client_id: 'app-0', create_time: now }

const newRecord = (id: string) => ({
  tenant,
  id_hash: hashOf(id),
  kind: 'RefreshToken' as const,
  client_id: clientId,
  grant_id: grantId,
  session_id: null,
  user_code_hash: null,
  payload: '{}',
  create_time: now,
  expire_time: later,
})
const newGrant = {
  tenant,
  user_id: userId,
  client_id: clientId,
  session_id: sessionId,
  offline: false,
  payload: '{}',
  version: 1,
  create_time: now,
  update_time: now,
  last_use_time: now,
  expire_time: later,
  end_time: null,
  end_cause: null,
}
const newClient = { name: 'New', metadata: {}, first_party: false, resources: [], introspects: [], backchannel_logout_uri: null }
const newResource = { tenant, resource: 'https://new.example', audience: 'new', scopes: ['read'], lifetime_seconds: 600, create_time: now }
const newSecret = { tenant, client_id: clientId, secret_hash: hashOf('s'), hint: 'abcd', create_time: now, expire_time: null }

/** Every function of store/oidc, as it is called in a large house; after a colon, one of several ways. */
export const statements: Readonly<Record<string, (db: Db) => Promise<unknown>>> = {
  insertClientSecret: (db) => secrets.insertClientSecret(db, { ...newSecret, id: randomUUID() }),
  listLivingSecrets: (db) => secrets.listLivingSecrets(db, { tenant, clientIds: [clientId], now }),
  endSecretsBy: (db) => secrets.endSecretsBy(db, { tenant, clientId }, later),
  endSecret: (db) => secrets.endSecret(db, { tenant, clientId, id: idOf('grant', 4), now }),
  deleteSecrets: (db) => secrets.deleteSecrets(db, { tenant, clientId }),
  insertClient: (db) => clients.insertClient(db, { tenant, clientId: 'new' }, newClient, now),
  findClient: (db) => clients.findClient(db, { tenant, clientId }),
  lockClient: (db) => clients.lockClient(db, { tenant, clientId }),
  hasClients: (db) => clients.hasClients(db),
  listClients: (db) => clients.listClients(db, { tenant, after: 'app-2', limit: 51 }),
  changeClient: (db) => clients.changeClient(db, { tenant, clientId }, { name: 'Another' }, now),
  findConsent: (db) => consents.findConsent(db, consent),
  lockConsent: (db) => consents.lockConsent(db, consent, now),
  setConsent: (db) => consents.setConsent(db, consent, { scopes: ['openid'], claims: [], resources: {} }),
  forgetConsents: (db) => consents.forgetConsents(db, { tenant, userId }),
  'forgetConsents:one': (db) => consents.forgetConsents(db, { tenant, userId, clientId: 'app-0' }),
  deleteConsentsOfClient: (db) => consents.deleteConsentsOfClient(db, { tenant, clientId: 'app-rare', limit: 500 }),
  endGrantsOfSessions: (db) => endGrantsOfSessions(db, [{ tenant, id: sessionId, user_id: userId }], now),
  lockSweep: (db) => expired.lockSweep(db),
  moveSweep: (db) => expired.moveSweep(db, now),
  listExpired: (db) => expired.listExpired(db, { after: ago(1), until: now, limit: 500 }),
  lockGrant: (db) => grants.lockGrant(db, { tenant, id: grantId }),
  findGrant: (db) => grants.findGrant(db, { tenant, id: grantId, now }),
  insertGrant: (db) => grants.insertGrant(db, { ...newGrant, id: randomUUID() }),
  changeGrant: (db) =>
    grants.changeGrant(db, { tenant, id: grantId }, { payload: '{}', offline: false, expire_time: later, update_time: now, version: 2 }),
  'endGrants:ids': (db) => grants.endGrants(db, { tenant, ids: [grantId] }, { time: now, cause: 'revoked' }),
  'endGrants:person': (db) => grants.endGrants(db, { tenant, userId, givenUntil: now }, { time: now, cause: 'user_suspended' }),
  'endGrants:app': (db) => grants.endGrants(db, { tenant, userId, clientId: 'app-0' }, { time: now, cause: 'revoked' }),
  'endGrants:client': (db) => grants.endGrants(db, { tenant, clientId: 'app-0', limit: 500 }, { time: now, cause: 'client_deleted' }),
  'endGrants:rare client': (db) => grants.endGrants(db, { tenant, clientId: 'app-7', limit: 500 }, { time: now, cause: 'client_deleted' }),
  listDeletedWithGrants: (db) => grants.listDeletedWithGrants(db, 1_000),
  listClientsOfPerson: (db) => listClientsOfPerson(db, { tenant, userId, after: '', limit: 51, now }),
  insertLogout: (db) => logouts.insertLogout(db, { tenant, sessionId, clientId: 'app-10', userId, now }),
  claimLogouts: (db) => logouts.claimLogouts(db, { now, limit: 20, resting: [{ tenant, clientId: 'app-20' }] }),
  closeLogout: (db) => logouts.closeLogout(db, logout, now),
  noteLogoutProblem: (db) => logouts.noteLogoutProblem(db, logout, 'timed out'),
  logoutsWaiting: (db) => logouts.logoutsWaiting(db, now),
  pruneRecords: (db) => prune.pruneRecords(db, now, 1_000),
  pruneReplays: (db) => prune.pruneReplays(db, now, 1_000),
  pruneGrants: (db) => prune.pruneGrants(db, ago(7), 1_000),
  pruneLogouts: (db) => prune.pruneLogouts(db, ago(7), 1_000),
  pruneClientSecrets: (db) => prune.pruneClientSecrets(db, ago(30), 1_000),
  addRecords: (db) => records.addRecords(db, [{ record: newRecord('one') }, { record: newRecord('two') }]),
  putRecord: (db) => records.putRecord(db, newRecord('three')),
  findRecord: (db) => records.findRecord(db, { ...access, now }),
  'findRecord:refresh': (db) => records.findRecord(db, { tenant, hash: hashOf('10004'), kind: 'RefreshToken', now }),
  findByUserCode: (db) => records.findByUserCode(db, { tenant, userCodeHash: hashOf('10009 code'), now }),
  deleteRecord: (db) => records.deleteRecord(db, access),
  insertResource: (db) => resources.insertResource(db, newResource),
  findResource: (db) => resources.findResource(db, { tenant, resource: 'https://api4.example' }),
  resourceAudienceExists: (db) => resources.resourceAudienceExists(db, { tenant, audience: 'api-4' }),
  listResources: (db) => resources.listResources(db, { tenant, limit: 51 }),
  changeResource: (db) => resources.changeResource(db, { ...newResource, resource: 'https://api4.example', scopes: ['write'] }),
  listNamed: (db) => resources.listNamed(db, { tenant, resources: ['https://api4.example'], audiences: ['api-5'] }),
  deleteResource: (db) => resources.deleteResource(db, { tenant, resource: 'https://api4.example' }),
  ensureGrantId: (db) => sessions.ensureGrantId(db, { tenant, sessionId, clientId: 'app-0', newId: randomUUID(), now }),
  forgetGrantIds: (db) => sessions.forgetGrantIds(db, tenant, [grantId, idOf('grant', 8)]),
  listSessionClients: (db) => sessions.listSessionClients(db, { tenant, sessionId }),
  putSessionClient: (db) => sessions.putSessionClient(db, { tenant, sessionId, clientId: 'app-0', grantId, persistsLogout: true, now }),
  findSessionState: (db) => sessions.findSessionState(db, { tenant, sessionId }),
  'putSessionState:set': (db) => sessions.putSessionState(db, { tenant, sessionId }, '{}', now),
  'putSessionState:none': (db) => sessions.putSessionState(db, { tenant, sessionId }, null, now),
  consumeRecord: (db) => single.consumeRecord(db, code, now),
  useRegistrationToken: (db) => registrations.useRegistrationToken(db, { tenant, hash: hashOf('10000'), now }),
  deleteRegistrationToken: (db) => registrations.deleteRegistrationToken(db, { tenant, hash: hashOf('10000') }),
  countRegistered: (db) => registrations.countRegistered(db, { tenant, most: 1_000 }),
  findConsumed: (db) => single.findConsumed(db, code),
  rotateRecord: (db) => single.rotateRecord(db, rotation),
  approveDeviceCode: (db) =>
    single.approveDeviceCode(db, { tenant, id_hash: device.hash, payload: '{}', grant_id: null, session_id: null }, { to: 1, now }),
  notePoll: (db) => single.notePoll(db, { tenant, hash: device.hash, now, notSince: ago(1) }),
  recordExists: (db) => single.recordExists(db, access),
  addReplay: (db) => single.addReplay(db, { tenant, key_hash: hashOf('proof'), expire_time: later, now }),
  findLivingTokens: (db) => tokens.findLivingTokens(db, { tenant, hashes: ['10000', '10004', '10008'].map(hashOf), now }),
  findGoingOnTokens: (db) => tokens.findGoingOnTokens(db, { tenant, of: [{ tenant, tokenId: randomUUID(), grantId, sessionId }], now }),
}
