import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAccessTokenVerifier, createRevocationList, followIssuers, type IssuerRecord } from '@gatehouse/identity'
import { connect, postgresLimits } from '@gatehouse/postgres'
import { createGrpcDoor, createPipeline, createWebDoor } from '@gatehouse/rpc'
import { startTelemetry } from '@gatehouse/telemetry'
import { EchoService, echoesServed, echoImplementation, LimitedEchoService, limitedEchoImplementation } from '../echo-contract.ts'
import { answerParent, type CommonActs } from './answer-parent.ts'

/** The echo behind both of our doors with everything on. */
export interface EchoGatehouseActs extends CommonActs {
  /** With `limitsUrl`, a database of counters, the limited echo is served too. */
  listen(order: { readonly issuer: IssuerRecord; readonly limitsUrl?: string }): Promise<{ grpc: number; web: number; metrics: number }>
  /** How often it has echoed. */
  served(): Promise<number>
}

const log = { debug() {}, info() {}, warn: console.warn, error: console.error }

answerParent<Omit<EchoGatehouseActs, 'usage'>>({
  served: async () => echoesServed(),
  async listen({ issuer, limitsUrl }) {
    const telemetry = await startTelemetry({ service: 'bench' })
    const metrics = createServer(telemetry.answerMetrics)
    await new Promise<void>((resolve) => metrics.listen(0, '127.0.0.1', resolve))
    const issuers = followIssuers(async () => [issuer])
    await issuers.lookAgain()
    const pipeline = createPipeline({
      service: 'bench',
      accessTokens: createAccessTokenVerifier({ audience: 'gatehouse', issuers, revocations: createRevocationList() }),
      workloads: { verify: () => Promise.reject(new Error('no workload calls here')) },
      tenantOfHost: (host) => issuers.tenantOfHost(host),
      limits:
        limitsUrl === undefined
          ? { take: () => Promise.reject(new Error('the echo declares no limit')) }
          : postgresLimits(connect<unknown>({ url: limitsUrl, applicationName: 'bench-limits' }).kysely),
      log,
    })
    const services = [
      pipeline.guard(EchoService, echoImplementation),
      ...(limitsUrl === undefined ? [] : [pipeline.guard(LimitedEchoService, limitedEchoImplementation)]),
    ]
    // Ten thousand calls come at once when limits are measured: more than a door serves at once unless told.
    const grpc = await createGrpcDoor({ service: 'bench', services, host: '127.0.0.1', port: 0, log, maxCalls: 10_000 })
    const web = await createWebDoor({ services, host: '127.0.0.1', port: 0, log, trustedProxies: [], allowedOrigins: [] })
    return { grpc: grpc.port, web: web.port, metrics: (metrics.address() as AddressInfo).port }
  },
})
