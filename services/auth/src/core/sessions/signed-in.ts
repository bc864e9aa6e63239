import { create } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { type SignedInResult, SignedInResultSchema } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import type { User } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import type { Deps } from '../deps.ts'
import { mintPersonToken } from '../tokens/mint-token.ts'
import { describeSession } from './describe-session.ts'
import type { OpenedSession } from './open-session.ts'

/** What a signed-in person gets, with a fresh access token. Call it after the commit: it reads keys and bindings. */
export async function signedIn(
  deps: Pick<Deps, 'batches' | 'keys' | 'now' | 'lifetimes'>,
  opened: OpenedSession,
  user: User,
): Promise<SignedInResult> {
  const minted = await mintPersonToken(deps, opened.session, opened.roles)
  return create(SignedInResultSchema, {
    session: describeSession(opened.session, opened.session.id),
    user,
    accessToken: minted.token,
    accessTokenExpireTime: timestampFromMs(minted.expireTime),
    refreshToken: opened.refreshToken,
  })
}
