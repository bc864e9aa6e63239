import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { emailKey } from '@gatehouse/rpc'
import { v7 as uuidv7 } from 'uuid'
import type { ConnectionRow } from '../../store/connections/connections.ts'
import { deleteUnlinked, insertIdentity, type LinkedIdentityRow } from '../../store/connections/linked-identities.ts'
import { findCredential } from '../../store/credentials.ts'
import { activatePerson, registerPerson } from '../people/change-person.ts'
import { resolvePerson } from '../people/resolve-person.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { domainOf } from './known-connections.ts'
import { nameOf } from './map-identity.ts'
import type { ConnectionDeps } from './redeem.ts'
import type { UpstreamAssertion } from './upstream-assertion.ts'

/**
 * An account for somebody unknown, where the connection makes them: of an address of its domains, proven there, by a provider that is trusted with them. Whose id it gets is written
 * down first, so that a retry after a crash finds the account that it made. An address that an active account has is none to go by: the answer is that of a connection that makes no accounts.
 */
export async function accountOf(deps: ConnectionDeps, connection: ConnectionRow, assertion: UpstreamAssertion): Promise<LinkedIdentityRow> {
  const { tenant, jit, trusted_email: isTrusted, domains } = connection
  const { email, emailVerified } = assertion
  if (jit === 'off' || !isTrusted || !emailVerified || !domains.includes(domainOf(email))) throw unknown()
  const there = await resolvePerson(deps, { tenant, by: { case: 'email', value: email } })
  const isInvited = there?.state === User_State.INVITED
  if (there === undefined && jit !== 'on') throw unknown()
  const identity = await insertIdentity(deps.db, {
    tenant,
    issuer: assertion.issuer,
    subject: assertion.subject,
    id: uuidv7(),
    user_id: isInvited ? there.id : uuidv7(),
    connection_id: connection.connection_id,
    email,
    made_account: true,
    create_time: new Date(deps.now()),
  })
  const { user_id: userId } = identity
  // Somebody was as quick, and is through.
  if (identity.link_time !== null) return identity
  const giveUp = async () => {
    await deleteUnlinked(deps.db, identity, userId)
    return unknown()
  }
  if (there !== undefined && there.id !== userId) throw await giveUp()
  if (there === undefined) {
    const input = { tenant, userId, email, name: nameOf(connection, assertion), locale: localeOf(assertion.locale) }
    const user = await registerPerson(deps, input)
    if (typeof user === 'string') throw await giveUp()
    // It was made under another address before, and changed it since.
    if (emailKey(user.email) !== emailKey(email)) throw await giveUp()
    return identity
  }
  // Whoever set a password is no one who waits for an account any more.
  if (await findCredential(deps.db, { tenant, userId })) throw await giveUp()
  if (typeof (await activatePerson(deps, { tenant, userId })) === 'string') throw await giveUp()
  return identity
}

function localeOf(text: string): string {
  return /^[a-z]{2}(-[A-Z]{2})?$/.test(text) ? text : 'en'
}

function unknown() {
  return refuse(ErrorReason.IDENTITY_NOT_LINKED)
}
