import { createWorkloadSigner, tenantHeader, workloadHeader } from '@gatehouse/identity'
import type { Bench } from './benchmark.ts'
import { planGetUser } from './benchmarks/get-user.ts'
import { type BetterAuth, signUp } from './better-auth.ts'
import { cores, startChild } from './child.ts'
import type { House } from './house.ts'
import { peopleWithPassword } from './people.ts'
import type { AccountClientActs, AccountOrder } from './programs/account-client.ts'
import type { LoadClientActs } from './programs/load-client.ts'
import type { SessionClientActs } from './programs/session-client.ts'

/** Calls all services of a house at full speed, one kind of call after the other: people are read, sessions are refreshed, and people sign up and get their mail. */
export async function loadServices({ effort }: Bench, house: House, seconds: number): Promise<void> {
  const { local } = house
  const signer = await createWorkloadSigner(local.keyFile('example'))
  const calls = await planGetUser(house, effort.name === 'smoke' ? 20 : 200)
  const headers = [
    [workloadHeader, await signer.tokenFor('user')],
    [tenantHeader, 'default'],
  ] as const
  await using readers = await startChild<LoadClientActs>('load-client', cores.client)
  const path = '/gatehouse.user.v1.UserService/GetUser'
  await readers.call('grpc', { port: local.ports.services.user.grpc, path, headers, calls, seconds, inFlight: 128, connections: 4 })

  const { emails, password } = await peopleWithPassword(local)
  const { web, grpc } = local.ports.services.auth
  await using sessions = await startChild<SessionClientActs>('session-client', cores.client)
  await sessions.call('refresh', {
    web,
    grpc,
    host: new URL(local.origin).host,
    emails,
    password,
    seconds,
    inFlight: effort.name === 'smoke' ? 4 : 32,
  })
  await signUps({ system: 'gatehouse', port: web, origin: local.origin, seconds })
}

/** The same of better-auth, as far as it has the same: people sign up and ask whose session they have. */
export async function loadBetterAuth({ port }: BetterAuth, origin: string, seconds: number): Promise<void> {
  await signUps({ system: 'better-auth', port, origin, seconds: 2 * seconds })
  await using readers = await startChild<LoadClientActs>('load-client', cores.client)
  const { cookie, answer } = await signUp(port, origin, 'somebody@bench.example')
  const calls = [{ request: Buffer.alloc(0), answer }]
  const order = {
    port,
    method: 'GET',
    path: '/api/auth/get-session',
    headers: [
      ['host', new URL(origin).host],
      ['cookie', cookie],
    ],
    calls,
  } as const
  await readers.call('http', { ...order, seconds, inFlight: 64, connections: 64 })
}

async function signUps(order: Pick<AccountOrder, 'system' | 'port' | 'origin' | 'seconds'>): Promise<void> {
  await using newcomers = await startChild<AccountClientActs>('account-client', cores.client)
  await newcomers.call('signUp', { ...order, emails: [], password: '', inFlight: 8 })
}
