import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { sql } from 'kysely'
import { goodPassword, noRetry, openAccountHouse, otherPassword, place, tenant } from '../../../test/account-house.ts'
import { changePassword } from './change-password.ts'
import { confirmEmailChange } from './confirm-email-change.ts'
import { requestEmailChange } from './request-email-change.ts'
import { requestPasswordReset } from './request-password-reset.ts'
import { resetPassword } from './reset-password.ts'

const house = await openAccountHouse()
after(() => house[Symbol.asyncDispose]())
const { deps } = house

interface Said {
  readonly kind: string
  readonly subject: string
  readonly challenge: string | null
}

/** The entries since the last look. */
async function entries(after: number): Promise<Said[]> {
  const { rows } = await sql<Said>`
    select kind, subject_id as subject, details->>'challenge' as challenge from audit_entries
    where kind not like 'key_%' and kind not like 'tenant_%' order by time, id offset ${after}`.execute(deps.db)
  return rows
}

test('signing up, and every change of password and address, leave entries that name the person and the challenge, and nothing secret', async () => {
  const code = async (challengeId: string) => ({ case: 'code', value: (await house.mailOf(challengeId)).code }) as const
  const { userId, sessionId } = await house.member('audited@example.com')
  const begun = await entries(0)
  const signUp = begun[0]?.challenge ?? ''
  assert.deepEqual(begun, [
    { kind: 'sign_up', subject: '', challenge: signUp },
    { kind: 'password_set', subject: userId, challenge: signUp },
    { kind: 'sign_in', subject: userId, challenge: null },
  ])
  const change = await requestEmailChange(deps, {
    tenant,
    userId,
    sessionId,
    email: 'new@example.com',
    password: goodPassword,
    retry: noRetry,
  })
  await confirmEmailChange(deps, { tenant, userId, sessionId, challengeId: change, proof: await code(change) })
  await changePassword(deps, { tenant, userId, sessionId, currentPassword: goodPassword, newPassword: otherPassword })
  const reset = await requestPasswordReset(deps, { tenant, email: 'new@example.com', retry: noRetry, withheld: false })
  await resetPassword(deps, { tenant, challengeId: reset, proof: await code(reset), password: goodPassword, place })
  assert.deepEqual(
    (await entries(begun.length)).map(({ kind, subject, challenge }) => [kind, subject, challenge]),
    [
      ['email_change_request', userId, change],
      ['email_change', userId, change],
      ['password_change', userId, null],
      ['password_reset_request', '', reset],
      ['session_end', userId, null],
      ['password_reset', userId, reset],
      ['sign_in', userId, null],
      // No device token came along.
      ['suspicious_activity', userId, null],
    ],
  )
  const { rows } = await sql<{ row: string }>`select to_jsonb(e)::text as row from audit_entries e`.execute(deps.db)
  const all = rows.map(({ row }) => row).join('\n')
  for (const secret of [goodPassword, otherPassword, 'example.com', 'Ada']) assert.ok(!all.includes(secret), secret)
})
