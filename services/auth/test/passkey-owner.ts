import assert from 'node:assert/strict'
import type { DescService } from '@bufbuild/protobuf'
import type { Client } from '@connectrpc/connect'
import { type CompletePasskeyRegistrationResponse, PasskeyService } from '@gatehouse/contracts/gatehouse/auth/v1/passkey_service_pb'
import type { NextStep, SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import type { User } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { createHashPool } from '../src/core/passwords/hash-pool.ts'
import { insertCredential } from '../src/store/credentials.ts'
import type { Story } from './open-story.ts'
import { type Changes, type SoftwareAuthenticator, softwareAuthenticator } from './software-authenticator.ts'

export const password = 'correct horse battery'
export const ourOrigin = 'http://localhost:8080'

let passwordHash: Promise<string> | undefined
let counter = 0

/** Somebody with a password, signed in, who has passkeys made. */
export interface PasskeyOwner {
  readonly user: User
  /** The session of the newest sign-in. */
  session: SignedInResult
  /** A service, called with that session's token. */
  as<S extends DescService>(service: S, app?: Story['app']): Promise<Client<S>>
  /** Registers a passkey of an authenticator of its own; takes what was raised meanwhile. */
  register(name?: string): Promise<{ authenticator: SoftwareAuthenticator } & CompletePasskeyRegistrationResponse>
  /** Raises the session with a passkey. */
  raise(authenticator: SoftwareAuthenticator): Promise<void>
}

export async function passkeyOwner(story: Story): Promise<PasskeyOwner> {
  passwordHash ??= createHashPool().hash(password)
  const user = story.people.add('default', { email: `owner-${++counter}@example.com`, name: 'Ada' })
  await insertCredential(story.db, { tenant: 'default', userId: user.id, passwordHash: await passwordHash, time: new Date() })
  const { result } = await (await story.grpc(SessionService)).signIn({ email: user.email, password })
  const owner: PasskeyOwner = {
    user,
    session: signedInOf(result),
    as: (service, app) => story.grpc(service, { authorization: `Bearer ${owner.session.accessToken}` }, undefined, app),
    async register(name = '') {
      const authenticator = softwareAuthenticator({ origin: ourOrigin })
      const passkeys = await owner.as(PasskeyService)
      const { attemptId, optionsJson } = await passkeys.beginPasskeyRegistration({})
      const passkeyJson = authenticator.register(optionsJson)
      return { authenticator, ...(await passkeys.completePasskeyRegistration({ attemptId, passkeyJson, name })) }
    },
    async raise(authenticator) {
      const sessions = await owner.as(SessionService)
      const { nextStep } = await sessions.beginStepUp({})
      const proof = { proof: { case: 'passkeyJson', value: authenticator.assert(nextStep?.passkeyOptionsJson ?? '') } } as const
      owner.session = signedInOf((await sessions.completeStepUp({ continuation: nextStep?.continuation ?? '', proof })).result)
    },
  }
  return owner
}

type Result = { case: 'signedIn'; value: SignedInResult } | { case: 'nextStep'; value: NextStep } | { case: undefined; value?: undefined }

export function signedInOf(result: Result): SignedInResult {
  assert.equal(result.case, 'signedIn')
  return result.value as SignedInResult
}

export function nextStepOf(result: Result): NextStep {
  assert.equal(result.case, 'nextStep')
  return result.value as NextStep
}

/** A sign-in in which no address is typed. */
export async function signInWith(
  story: Story,
  authenticator: SoftwareAuthenticator,
  changes: Changes = {},
  app = story.app,
): Promise<SignedInResult> {
  const passkeys = await story.grpc(PasskeyService, {}, undefined, app)
  const { attemptId, optionsJson } = await passkeys.beginPasskeySignIn({})
  const { result } = await passkeys.completePasskeySignIn({ attemptId, passkeyJson: authenticator.assert(optionsJson, changes) })
  return signedInOf(result)
}
