import { Agent, request } from 'node:http'

/** Where auth's web door is, and the host that it is asked as. */
export interface SignInDoor {
  readonly web: number
  readonly host: string
}

const agent = new Agent({ keepAlive: true })
let source = 0

/**
 * Signs somebody in with a password, as from somewhere else each time, because a source has a limit; answers the refresh token. Rejects unless the answer is this
 * person's.
 */
export function signInCall({ web, host }: SignInDoor, email: string, password: string): Promise<string> {
  const from = `10.${(++source >> 16) & 255}.${(source >> 8) & 255}.${source & 255}`
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        agent,
        host: '127.0.0.1',
        port: web,
        method: 'POST',
        path: '/gatehouse.auth.v1.SessionService/SignIn',
        headers: { host, 'content-type': 'application/json', 'x-forwarded-for': from },
      },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          const answer = JSON.parse(text) as { signedIn?: { refreshToken?: string; user?: { email?: string } } }
          const { user, refreshToken } = answer.signedIn ?? {}
          if (incoming.statusCode === 200 && refreshToken && user?.email === email) resolve(refreshToken)
          else reject(new Error(`SignIn answered ${incoming.statusCode} ${text}`))
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(JSON.stringify({ email, password }))
  })
}
