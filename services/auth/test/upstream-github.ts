import { createHash, randomUUID } from 'node:crypto'
import { loopbackServer, type Reply } from './loopback-server.ts'
import { upstreamClient } from './upstream-issuer.ts'

export interface GithubMail {
  readonly email: string
  readonly primary: boolean
  readonly verified: unknown
}

/** A server on loopback that speaks what GitHub's OAuth and user API speak, an Enterprise Server's paths included. */
export interface UpstreamGithub extends AsyncDisposable {
  readonly origin: string
  readonly host: string
  user: Readonly<Record<string, unknown>>
  mails: readonly GithubMail[]
  visit(url: string): Promise<URL>
}

export async function openUpstreamGithub(): Promise<UpstreamGithub> {
  const codes = new Map<string, string>()
  const tokens = new Set<string>()
  const github = { user: {} as Readonly<Record<string, unknown>>, mails: [] as readonly GithubMail[] }
  const server = await loopbackServer(({ url, headers, form }): Reply => {
    if (url.pathname === '/login/oauth/authorize') {
      const code = randomUUID()
      codes.set(code, url.searchParams.get('code_challenge') ?? '')
      const location = new URL(url.searchParams.get('redirect_uri') ?? '')
      location.search = String(new URLSearchParams({ code, state: url.searchParams.get('state') ?? '' }))
      return { location }
    }
    if (url.pathname === '/login/oauth/access_token') {
      const challenge = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url')
      const right = codes.get(form.get('code') ?? '') === challenge && form.get('client_secret') === upstreamClient.secret
      codes.delete(form.get('code') ?? '')
      if (!right) return { json: { error: 'bad_verification_code', error_description: 'The code passed is incorrect or expired.' } }
      const token = `gho_${randomUUID()}`
      tokens.add(token)
      return { json: { access_token: token, scope: 'read:user,user:email', token_type: 'bearer' } }
    }
    if (!tokens.has((headers.authorization ?? '').slice('Bearer '.length))) return { status: 401, json: { message: 'Bad credentials' } }
    if (url.pathname === '/api/v3/user') return { json: github.user }
    if (url.pathname === '/api/v3/user/emails') return { json: github.mails }
    return { status: 404, json: {} }
  })
  return Object.assign(github, {
    origin: server.origin,
    host: server.host,
    async visit(url: string) {
      return new URL((await fetch(url, { redirect: 'manual' })).headers.get('location') ?? 'about:blank')
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  })
}
