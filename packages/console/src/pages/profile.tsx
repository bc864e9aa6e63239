import { gatehouse, useSession } from '../gatehouse.ts'
import { Field, Form } from '../parts/form.tsx'
import { Page } from '../parts/page.tsx'

const zones = Intl.supportedValuesOf('timeZone')

export function Profile() {
  const session = useSession()
  if (session.kind !== 'signed_in') return null
  const { user } = session
  async function submit({ name = '', locale = '', timeZone = '' }: Record<string, string>) {
    const answer = await gatehouse.users.updateUser({ id: user.id, etag: user.etag, name, locale, timeZone })
    if (answer.user) gatehouse.session.update(answer.user)
  }
  return (
    <Page title={`Hello, ${user.name}`}>
      <dl className="facts">
        <dt>E-mail address</dt>
        <dd>
          {user.email} <span className="badge">proven</span>
        </dd>
        <dt>Member since</dt>
        <dd>{user.createTime && new Date(Number(user.createTime.seconds) * 1000).toLocaleDateString()}</dd>
      </dl>
      <Form
        key={user.etag}
        action="Save"
        onSubmit={submit}
        done="Saved."
        sentences={{ ETAG_MISMATCH: 'Your profile was changed elsewhere. Please load the page again.' }}
      >
        <Field name="name" label="Name" defaultValue={user.name} autoComplete="name" required />
        <Field
          name="locale"
          label="Language"
          defaultValue={user.locale}
          hint="Such as en or de-AT. Mails come in English or German."
          list="languages"
        />
        <datalist id="languages">
          <option value="en" />
          <option value="de" />
        </datalist>
        <Field name="timeZone" label="Time zone" defaultValue={user.timeZone} list="zones" />
        <datalist id="zones">
          {zones.map((zone) => (
            <option key={zone} value={zone} />
          ))}
        </datalist>
      </Form>
    </Page>
  )
}
