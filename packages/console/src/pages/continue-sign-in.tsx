import type { NextStep } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { useLocation } from 'wouter'
import { gatehouse, pendingStep } from '../gatehouse.ts'
import { NextStepForm } from '../parts/next-step.tsx'
import { Page } from '../parts/page.tsx'

/** A sign-in that needs one thing more. It is kept in memory only: whoever leaves the page begins anew. */
export function ContinueSignIn({ step }: { step: NextStep }) {
  const [path, go] = useLocation()
  function leave() {
    pendingStep.set(undefined)
    // A page that asked for the sign-in asks again.
    if (!path.startsWith('/oidc/')) go('/sign-in', { replace: true })
  }
  return (
    <Page title="One thing more">
      <NextStepForm
        step={step}
        show={async (continuation, proof, trustDevice) => {
          const { result } = await gatehouse.sessions.continueSignIn({ continuation, proof: { proof }, useCookie: true, trustDevice })
          if (result.case === 'nextStep') return result.value
          if (result.case === 'signedIn') gatehouse.session.adopt(result.value)
          pendingStep.set(undefined)
          return undefined
        }}
      />
      <p className="aside">
        <button type="button" className="link" onClick={leave}>
          Begin again
        </button>
      </p>
    </Page>
  )
}
