import { useId } from 'react'
import { Page } from '../../parts/page.tsx'
import { Problem } from '../../parts/problem.tsx'
import type { NamedClient } from './library-data.ts'
import { PlainForm } from './plain-form.tsx'

const problems: Readonly<Record<string, string>> = {
  empty: 'Please type the code that your device shows.',
  unknown: 'No device shows this code. Please look at it again.',
  expired: 'This code is too old. Have your device show a new one.',
  used: 'This code was used already. Have your device show a new one.',
  refused: 'You have refused. The device gets nothing.',
  failed: 'That did not work. Please try again.',
}

interface DeviceCodeProps {
  readonly action: string
  readonly xsrf: string
  readonly userCode: string | null
  readonly problem: string | null
}

/** For a television or a terminal: it shows a code, and the person types it where they have a keyboard. */
export function DeviceCode({ action, xsrf, userCode, problem }: DeviceCodeProps) {
  const id = useId()
  return (
    <Page title="Connect a device">
      <Problem>{problem === null ? '' : (problems[problem] ?? '')}</Problem>
      <PlainForm action={action} xsrf={xsrf}>
        <div className="field">
          <label htmlFor={id}>Code of your device</label>
          <input
            id={id}
            name="user_code"
            className="code"
            defaultValue={userCode ?? ''}
            autoComplete="off"
            autoCapitalize="characters"
            spellCheck={false}
            maxLength={20}
            aria-describedby={`${id}-hint`}
            required
          />
          <small id={`${id}-hint`} className="hint">
            Eight letters, such as BCDF-GHJK.
          </small>
        </div>
        <button type="submit" className="main">
          Go on
        </button>
      </PlainForm>
    </Page>
  )
}

interface DeviceConfirmProps {
  readonly action: string
  readonly xsrf: string
  readonly client: NamedClient
  readonly userCode: string
}

/** Somebody else's code signs somebody else's device in: what it comes to is said before. */
export function DeviceConfirm({ action, xsrf, client, userCode }: DeviceConfirmProps) {
  return (
    <Page title={`Connect ${client.name}?`}>
      <p>A device that runs this app shows the code</p>
      <p className="shown">{userCode}</p>
      <p className="warning">
        Go on only if you began this yourself, and the device is before you. Whoever sent you this code or a link with it would be signed in
        as you.
      </p>
      <PlainForm action={action} xsrf={xsrf}>
        <input type="hidden" name="user_code" value={userCode} />
        <input type="hidden" name="confirm" value="yes" />
        <button type="submit" className="main">
          Connect it
        </button>
        <button type="submit" className="quiet whole" name="abort" value="yes">
          Refuse
        </button>
      </PlainForm>
    </Page>
  )
}

export function DeviceDone({ client }: { client: NamedClient | null }) {
  return (
    <Page title="Your device is connected">
      <p>{client === null ? 'It' : <strong>{client.name}</strong>} goes on by itself in a few seconds. You can close this page.</p>
    </Page>
  )
}
