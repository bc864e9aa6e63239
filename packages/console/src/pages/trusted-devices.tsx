import type { GetDeviceTrustResponse } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { refusedOf } from '@gatehouse/web'
import { useCallback, useEffect, useState } from 'react'
import { gatehouse } from '../gatehouse.ts'
import { Form } from '../parts/form.tsx'
import { Page } from '../parts/page.tsx'
import { when } from '../parts/when.ts'

/** Browsers and programs on which the password is enough for some days. */
export function TrustedDevices() {
  const [trust, setTrust] = useState<GetDeviceTrustResponse | undefined>()
  const [problem, setProblem] = useState('')
  const load = useCallback(async () => {
    try {
      setTrust(await gatehouse.sessions.getDeviceTrust({ useCookie: true }))
    } catch (error) {
      setProblem(refusedOf(error).message)
    }
  }, [])
  useEffect(() => void load(), [load])
  async function forget() {
    await gatehouse.sessions.forgetTrustedDevices({})
    await load()
  }
  // Where nobody may trust a device there is none to forget.
  if (trust === undefined ? problem === '' : trust.trustDays === 0) return null
  return (
    <Page title="Trusted devices">
      <p role="alert" className={problem ? 'alert' : 'alert none'}>
        {problem}
      </p>
      {trust && (
        <p>
          {trust.trustedUntil
            ? `You trust this browser: your password is enough here until ${when(trust.trustedUntil)}.`
            : 'You do not trust this browser: a sign-in asks for your second factor, if you have one.'}
        </p>
      )}
      <Form action="Forget all trusted devices" quiet onSubmit={forget} done="Forgotten. Every device asks for your second factor again.">
        <p>Have you lost a device that you trusted, or was it somebody else’s?</p>
      </Form>
    </Page>
  )
}
