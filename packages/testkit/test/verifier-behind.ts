import { createClient } from '@connectrpc/connect'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { startServiceProcess } from '@gatehouse/local'
import { peerTransport, reasonOf } from '@gatehouse/rpc/peer'
import { type FaultProxy, startFaultProxy } from '@gatehouse/testkit'
import type { House } from './house.ts'

/** Another replica of the user service, which reaches auth through a proxy only. */
export interface VerifierBehind extends AsyncDisposable {
  readonly link: FaultProxy
  /** Whether it lets in whoever has this access token. */
  accepts(token: string): Promise<boolean>
  /** Whether auth tells it which sessions have ended, by its metrics. */
  isConnected(): Promise<boolean>
}

export async function startVerifierBehind({ local, folder }: House): Promise<VerifierBehind> {
  await using opening = new AsyncDisposableStack()
  const link = opening.use(await startFaultProxy({ targets: { host: '127.0.0.1', port: local.ports.services.auth.grpc } }))
  const own = { AUTH_URL: `127.0.0.1:${link.port}`, GRPC_PORT: '0', WEB_PORT: '0', METRICS_PORT: '0', LOG_LEVEL: 'info' }
  const replica = opening.use(await startServiceProcess('user', { ...local.environment('user'), ...own }, folder, { log: 'user-behind' }))
  const line = await replica.line((said) => said.includes('"ready"'), 60_000)
  if (line === undefined) throw new Error(`the replica is not ready; it said:\n${replica.lastLines.join('\n')}`)
  const { ports } = JSON.parse(line) as { ports: { grpc: number; metrics: number } }
  const users = createClient(UserService, opening.use(peerTransport({ target: 'user', url: `127.0.0.1:${ports.grpc}` })))
  const owned = opening.move()
  return {
    link,
    async accepts(token) {
      try {
        await users.getCurrentUser({}, { headers: { authorization: `Bearer ${token}` } })
        return true
      } catch (error) {
        if (reasonOf(error) === 'ACCESS_TOKEN_INVALID') return false
        throw error
      }
    },
    async isConnected() {
      const metrics = await (await fetch(`http://127.0.0.1:${ports.metrics}/metrics`)).text()
      const [, value] = /^gatehouse_revocations_connected(?:\{[^}]*\})? ([01])$/m.exec(metrics) ?? []
      if (value === undefined) throw new Error('gatehouse_revocations_connected is not told')
      return value === '1'
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
