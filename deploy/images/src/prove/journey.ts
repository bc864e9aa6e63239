import { ask, type House, until } from './house.ts'

const person = { email: 'ada@example.com', password: 'correct horse battery staple!', name: 'Ada Lovelace' }

/**
 * Signs up at auth's door, takes the code out of the mail, and asks user and notification as the person: the three call each other over gRPC, hear of
 * it over NATS and write into Postgres on the way. Throws where anything of it is not so.
 */
export async function journey({ ports, mailbox }: House): Promise<string> {
  const headers = { host: `localhost:${ports.origin}` }
  const { user, auth, notification } = ports.services
  const call = async (port: number, rpc: string, body: object, more: Record<string, string> = {}) => {
    const { status, text } = await ask(port, `/gatehouse.${rpc}`, { body, headers: { ...headers, ...more } })
    if (status !== 200) throw new Error(`${rpc} answered ${status}: ${text}`)
    return JSON.parse(text)
  }
  // The doors are open before the services know each other.
  const { challengeId } = await until('a sign-up', () => call(auth.web, 'auth.v1.AccountService/SignUp', person))
  const mail = await until('the mail', () => mailbox.messages.find(({ to }) => to.includes(person.email)))
  const code = /^\s*(\d{6})\s*$/m.exec(mail.text)?.[1]
  const { signedIn } = await call(auth.web, 'auth.v1.AccountService/VerifyEmail', { challengeId, code })
  const asPerson = { authorization: `Bearer ${signedIn.accessToken}` }
  const { user: found } = await call(user.web, 'user.v1.UserService/GetCurrentUser', {}, asPerson)
  if (found.name !== person.name) throw new Error(`user knows ${JSON.stringify(found)}`)
  await call(notification.web, 'notification.v1.InboxService/ListInboxItems', {}, asPerson)
  return `${person.name} signed up, was sent "${mail.subject}" and is known to all three`
}
