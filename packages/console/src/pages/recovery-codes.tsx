import { useRef } from 'react'
import { gatehouse } from '../gatehouse.ts'
import { AskFirst } from '../parts/ask-first.tsx'
import { Form } from '../parts/form.tsx'
import type { OwnFactors } from '../parts/own-factors.ts'
import { RecoveryCodes } from '../parts/recovery-codes.tsx'
import { Section } from '../parts/section.tsx'

interface RecoveryCodesSectionProps {
  readonly factors: OwnFactors
  /** Codes that were made on this page, here or with the first factor, and are not put away yet. */
  readonly fresh: readonly string[]
  readonly made: (codes: readonly string[]) => void
  readonly changed: () => Promise<void>
}

/** With so many left it is time for new ones. */
const few = 3

const sentences = { FACTOR_NOT_ALLOWED: 'Recovery codes are not offered here.' }

/** What gets the person in when passkey and app are gone. */
export function RecoveryCodesSection({ factors, fresh, made, changed }: RecoveryCodesSectionProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  async function make() {
    made((await gatehouse.factors.makeRecoveryCodes({})).recoveryCodes)
    await changed()
  }
  function keep() {
    made([])
    heading.current?.focus()
  }
  const left = factors.listed.recoveryCodesLeft
  const second = factors.passkeys.length > 0 || factors.listed.totpCreateTime !== undefined
  return (
    <Section title="Recovery codes" heading={heading}>
      {!second && (
        <p>A recovery code stands in for a passkey or an authenticator app that is gone. Add one of them, and you get your codes.</p>
      )}
      {second && <Left count={left} />}
      {fresh.length > 0 && <RecoveryCodes key={fresh[0]} codes={fresh} onKept={keep} />}
      {second &&
        (left === 0 ? (
          <Form action="Make recovery codes" sentences={sentences} onSubmit={make}>
            {null}
          </Form>
        ) : (
          <AskFirst ask="Make new ones" action="Make new codes" sentences={sentences} onConfirm={make}>
            New recovery codes end those that you have now: the old ones sign nobody in any more.
          </AskFirst>
        ))}
    </Section>
  )
}

function Left({ count }: { count: number }) {
  return (
    <>
      <p>
        {count === 0 ? 'You have none.' : count === 1 ? 'You have one code left.' : `You have ${count} codes left.`} Each signs you in once.
      </p>
      {count <= few && (
        <p className="warning">
          {count === 0
            ? 'Without them a lost device can lock you out. Please make some.'
            : 'These are few. Please make new ones before they run out.'}
        </p>
      )}
    </>
  )
}
