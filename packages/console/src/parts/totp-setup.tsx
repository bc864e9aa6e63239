import { CodeField, withoutSpaces } from './code-field.tsx'
import { Form } from './form.tsx'

/** What an authenticator app needs, as the call that begins it answers. */
export interface TotpSetup {
  readonly secret: string
  readonly uri: string
  readonly qrSvg: string
}

interface TotpSetupFormProps {
  readonly setup: TotpSetup
  readonly action: string
  /** Sends the first code. */
  readonly confirm: (code: string) => Promise<void>
}

const sentences = {
  FACTOR_WRONG: 'This is not the code. Please take the one that the app shows now; the clock of your phone has to be right.',
  FACTOR_NOT_FOUND: 'This took too long, or was begun anew elsewhere. Please begin again.',
}

/** Brings a secret into an app, by picture, by typing or by a link, and asks for the first code. */
export function TotpSetupForm({ setup, action, confirm }: TotpSetupFormProps) {
  return (
    <>
      <img
        className="qr"
        alt="QR code of the secret"
        width="200"
        height="200"
        src={`data:image/svg+xml,${encodeURIComponent(setup.qrSvg)}`}
      />
      <p>
        Or type it:{' '}
        <code className="secret">
          {groupsOf(setup.secret).map(({ at, letters }) => (
            <span key={at}>{letters}</span>
          ))}
        </code>
      </p>
      <p>
        Is the app on this device? <a href={setup.uri}>Open it there.</a>
      </p>
      <Form action={action} sentences={sentences} onSubmit={({ code = '' }) => confirm(withoutSpaces(code))}>
        <CodeField label="Code of the app" />
      </Form>
    </>
  )
}

/** Four letters are typed at a time; what stands between them is not copied with them. */
function groupsOf(secret: string): { at: number; letters: string }[] {
  return [...secret.matchAll(/.{1,4}/g)].map(({ index, 0: letters }) => ({ at: index, letters }))
}
