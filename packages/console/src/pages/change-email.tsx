import { Link, useLocation } from 'wouter'
import { gatehouse } from '../gatehouse.ts'
import { Form } from '../parts/form.tsx'
import { useLinkToken } from '../parts/link-token.ts'
import { Page } from '../parts/page.tsx'

/** Where the link in the mail to a new address leads. */
export function ChangeEmail() {
  const token = useLinkToken()
  const [, go] = useLocation()
  async function submit() {
    await gatehouse.accounts.confirmEmailChange({ proof: { case: 'token', value: token } })
    const { user } = await gatehouse.users.getCurrentUser({})
    if (user) gatehouse.session.update(user)
    go('/profile', { replace: true })
  }
  if (token === '') {
    return (
      <Page title="Change your address">
        <p>
          Please open the link in the mail, or <Link href="/account">ask for a new one</Link>.
        </p>
      </Page>
    )
  }
  return (
    <Page title="Change your address">
      <p>One click, and this mailbox is the one that we write to.</p>
      <Form
        action="Change my address"
        onSubmit={submit}
        sentences={{
          CHALLENGE_INVALID: 'This link was used, is no longer valid, or belongs to another account than the one that is signed in here.',
          EMAIL_TAKEN: 'Another account has this address now.',
        }}
      >
        {null}
      </Form>
    </Page>
  )
}
