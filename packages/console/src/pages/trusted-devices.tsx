import type { GetDeviceTrustResponse } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { gatehouse } from '../gatehouse.ts'
import { Form } from '../parts/form.tsx'
import { Section } from '../parts/section.tsx'
import { when } from '../parts/when.ts'

/** Browsers and programs on which the password is enough for some days. */
export function TrustedDevices({ trust, changed }: { trust: GetDeviceTrustResponse; changed: () => Promise<void> }) {
  async function forget() {
    await gatehouse.sessions.forgetTrustedDevices({})
    await changed()
  }
  // Where nobody may trust a device there is none to forget.
  if (trust.trustDays === 0) return null
  return (
    <Section title="Trusted devices">
      <p>
        {trust.trustedUntil
          ? `You trust this browser: your password is enough here until ${when(trust.trustedUntil)}.`
          : 'You do not trust this browser: a sign-in asks for your second factor, if you have one.'}
      </p>
      <Form action="Forget all trusted devices" quiet onSubmit={forget} done="Forgotten. Every device asks for your second factor again.">
        <p>Have you lost a device that you trusted, or was it somebody else’s?</p>
      </Form>
    </Section>
  )
}
