import { timestampDate } from '@bufbuild/protobuf/wkt'
import type { User } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { listGroupNamesOf } from '../../../store/groups.ts'
import type { Deps } from '../../deps.ts'

/** More would not fit where tokens have to fit. */
const mostGroups = 50

/** What the scopes say about a person (OpenID Connect Core, 5.4). */
export async function claimsOfPerson(
  deps: Pick<Deps, 'db'>,
  tenant: string,
  user: User,
  scopes: readonly string[],
): Promise<Record<string, unknown>> {
  const has = (scope: string) => scopes.includes(scope)
  return {
    sub: user.id,
    ...(has('profile') && {
      ...(user.name !== '' && { name: user.name }),
      ...(user.locale !== '' && { locale: user.locale }),
      ...(user.timeZone !== '' && { zoneinfo: user.timeZone }),
      ...(user.updateTime && { updated_at: Math.floor(timestampDate(user.updateTime).getTime() / 1000) }),
    }),
    ...(has('email') && user.email !== '' && { email: user.email, email_verified: user.emailVerified === true }),
    ...(has('groups') && { groups: await listGroupNamesOf(deps.db, { tenant, memberId: user.id, limit: mostGroups }) }),
  }
}
