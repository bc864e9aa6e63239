import type { ListFactorsResponse } from '@gatehouse/contracts/gatehouse/auth/v1/factor_service_pb'
import type { Passkey } from '@gatehouse/contracts/gatehouse/auth/v1/passkey_service_pb'
import type { GetDeviceTrustResponse } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { refusedOf } from '@gatehouse/web'
import { useCallback, useEffect, useRef, useState } from 'react'
import { gatehouse } from '../gatehouse.ts'

/** What the person proves beside a password who they are with, and whether this browser is trusted to leave it out. */
export interface OwnFactors {
  readonly passkeys: readonly Passkey[]
  readonly listed: ListFactorsResponse
  readonly trust: GetDeviceTrustResponse
}

/**
 * All of it at once, and once more after each change: a passkey that goes may take the recovery codes with it, and an app that comes ends the trust in every device.
 */
export function useOwnFactors() {
  const [factors, setFactors] = useState<OwnFactors | undefined>()
  const [problem, setProblem] = useState('')
  const asked = useRef(0)
  const load = useCallback(async () => {
    const turn = ++asked.current
    try {
      const [{ passkeys }, listed, trust] = await Promise.all([
        gatehouse.passkeys.listPasskeys({}),
        gatehouse.factors.listFactors({}),
        gatehouse.sessions.getDeviceTrust({ useCookie: true }),
      ])
      // An answer that was overtaken tells of before.
      if (turn !== asked.current) return
      setFactors({ passkeys, listed, trust })
      setProblem('')
    } catch (error) {
      if (turn === asked.current) setProblem(refusedOf(error).message)
    }
  }, [])
  useEffect(() => void load(), [load])
  return { factors, problem, load }
}
