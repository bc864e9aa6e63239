import type { LockDownResponse } from '@gatehouse/contracts/gatehouse/auth/v1/account_service_pb'
import { Factor } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { Link } from 'wouter'
import { Page } from '../parts/page.tsx'
import { when } from '../parts/when.ts'

/** What a lock-down did, and what it left in place, which somebody else may have added. */
export function Locked({ addedFactors, sinceTime }: LockDownResponse) {
  return (
    <Page title="Your account is locked">
      <p role="status">Every session has ended, and your devices are forgotten.</p>
      <p>
        Look into your mailbox now: a mail lets you set a new password. If none comes, <Link href="/forgot-password">ask for another</Link>.
        If you sign in without a password, <Link href="/sign-in">sign in</Link>.
      </p>
      {addedFactors.length > 0 ? (
        <>
          <p>Since {when(sinceTime)} these were added to your account:</p>
          <ul>
            {addedFactors.map(({ factor, createTime }) => (
              <li key={`${factor} ${createTime?.seconds} ${createTime?.nanos}`}>
                {names.get(factor) ?? 'another way to sign in'} ({when(createTime)})
              </li>
            ))}
          </ul>
          <p>
            <strong>If that was not you</strong>, remove it as soon as you are back in, or ask your administrator to. A passkey of these
            does not sign in by itself any more, until it was shown beside your new password or a mail.
          </p>
        </>
      ) : (
        <p>
          {sinceTime && `No passkey, authenticator app or recovery codes were added since ${when(sinceTime)}. `}
          Once you are back in, look through your passkeys and whatever else you sign in with.
        </p>
      )}
      <p className="aside">
        Are you asked for something that you do not have? Somebody else may have added it: your administrator can take it away, and then you
        get in.
      </p>
    </Page>
  )
}

const names: ReadonlyMap<Factor, string> = new Map([
  [Factor.PASSKEY, 'a passkey'],
  [Factor.TOTP, 'an authenticator app'],
  [Factor.RECOVERY_CODE, 'recovery codes'],
])
