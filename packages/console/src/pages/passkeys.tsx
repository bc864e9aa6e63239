import type { Passkey } from '@gatehouse/contracts/gatehouse/auth/v1/passkey_service_pb'
import { passkeysWork, refusedOf, registerPasskey } from '@gatehouse/web'
import { useState } from 'react'
import { Link } from 'wouter'
import { gatehouse } from '../gatehouse.ts'
import { deviceOf } from '../parts/device-of.ts'
import { Field, Form } from '../parts/form.tsx'
import { Problem } from '../parts/problem.tsx'
import { Section } from '../parts/section.tsx'
import { when } from '../parts/when.ts'

interface PasskeysProps {
  readonly passkeys: readonly Passkey[]
  /** Recovery codes came with one. */
  readonly made: (codes: readonly string[]) => void
  readonly changed: () => Promise<void>
}

/** The passkeys of the person: what they sign in with in place of a password, or after it. */
export function Passkeys({ passkeys, made, changed }: PasskeysProps) {
  const [problem, setProblem] = useState('')
  async function add({ name = '' }: Record<string, string>) {
    const { recoveryCodes } = await registerPasskey(gatehouse, name)
    await changed()
    if (recoveryCodes.length > 0) made(recoveryCodes)
  }
  async function remove(passkey: Passkey) {
    setProblem('')
    try {
      await gatehouse.passkeys.deletePasskey({ passkeyId: passkey.id })
    } catch (error) {
      setProblem(refusedOf(error).message)
    }
    await changed()
  }
  return (
    <Section title="Passkeys">
      <p>A passkey signs you in with your finger, your face or the lock of your device. Nobody can ask you for it on a false page.</p>
      <Problem>{problem}</Problem>
      {passkeys.length > 0 && (
        <ul className="list">
          {passkeys.map((passkey) => (
            <PasskeyRow key={passkey.id} passkey={passkey} changed={changed} remove={() => void remove(passkey)} />
          ))}
        </ul>
      )}
      {passkeysWork() ? (
        <Form action="Add a passkey" onSubmit={add} done="Added. From now on a sign-in with your password asks for it too.">
          <Field
            key={passkeys.length}
            name="name"
            label="Name of the new passkey"
            defaultValue={deviceOf(navigator.userAgent)}
            maxLength={100}
            autoComplete="off"
          />
        </Form>
      ) : (
        <p>This browser knows no passkeys.</p>
      )}
      <p className="aside">
        Was somebody else signed in as you? <Link href="/sessions">End the other sessions.</Link>
      </p>
    </Section>
  )
}

interface PasskeyRowProps {
  readonly passkey: Passkey
  readonly changed: () => Promise<void>
  readonly remove: () => void
}

function PasskeyRow({ passkey, changed, remove }: PasskeyRowProps) {
  const [renaming, setRenaming] = useState(false)
  async function rename({ name = '' }: Record<string, string>) {
    await gatehouse.passkeys.renamePasskey({ passkeyId: passkey.id, name })
    setRenaming(false)
    await changed()
  }
  if (renaming)
    return (
      <li>
        <div className="whole">
          <Form action="Save the name" onSubmit={rename}>
            <Field name="name" label="Name" defaultValue={passkey.name} maxLength={100} autoComplete="off" autoFocus required />
          </Form>
        </div>
      </li>
    )
  return (
    <li>
      <div>
        <strong>{passkey.name}</strong> <span className={passkey.backedUp ? 'badge' : 'badge plain'}>{placeOf(passkey)}</span>
        <p>
          <small>
            Added {when(passkey.createTime)}
            {passkey.lastUseTime ? `, last used ${when(passkey.lastUseTime)}` : ', never used'}
          </small>
        </p>
      </div>
      <div className="acts">
        <button type="button" className="quiet" onClick={() => setRenaming(true)}>
          Rename<span className="unseen"> {passkey.name}</span>
        </button>
        <button type="button" className="quiet" onClick={remove}>
          Remove<span className="unseen"> {passkey.name}</span>
        </button>
      </div>
    </li>
  )
}

/** What a lost device takes with it: by the flags of WebAuthn Level 3, as the passkey last told them. */
function placeOf({ backupEligible, backedUp }: Passkey): string {
  if (backedUp) return 'synced'
  return backupEligible ? 'not synced yet' : 'on one device'
}
