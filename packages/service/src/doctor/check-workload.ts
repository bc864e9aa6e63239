import { readFile } from 'node:fs/promises'
import { createClient } from '@connectrpc/connect'
import type { ServiceConfig } from '@gatehouse/config'
import { IssuerService } from '@gatehouse/contracts/gatehouse/auth/v1/issuer_service_pb'
import { Health, HealthCheckResponse_ServingStatus as Status } from '@gatehouse/contracts/grpc/health/v1/health_pb'
import { createLogger } from '@gatehouse/telemetry'
import { openSigner } from '../open-signer.ts'
import { createPeers, type PeerName } from '../peers.ts'
import { either, type Finding, ok, wrong } from './findings.ts'

const timeoutMs = 2000

/** The service's own key, and whether the JWKS knows it. */
export async function checkWorkloadKey(name: PeerName, { workloadKeyFile, workloadJwksFile }: ServiceConfig): Promise<Finding[]> {
  // Whether projected tokens are believed is for their peers to say.
  if (workloadKeyFile === undefined) return []
  const key = await readJson<{ kid?: string; workload?: string; d?: string }>(workloadKeyFile)
  const jwks = await readJson<{ keys?: { kid?: string; workload?: string; d?: string }[] }>(workloadJwksFile)
  const found: Finding[] = []
  if (key.workload !== name || key.d === undefined)
    found.push(
      wrong(
        `WORKLOAD_KEY_FILE is ${key.d === undefined ? 'no private key' : `the key of ${key.workload}`}`,
        `${name} needs its own private key`,
      ),
    )
  else
    found.push(
      either(
        jwks.keys?.some(({ kid, workload }) => kid === key.kid && workload === name) === true,
        `the workload key ${key.kid} is in the JWKS`,
        `the workload key ${key.kid} is not in the JWKS`,
        'add its public half to WORKLOAD_JWKS_FILE of every service, or take the key whose public half is there',
      ),
    )
  if (jwks.keys?.some(({ d }) => d !== undefined))
    found.push(wrong('WORKLOAD_JWKS_FILE holds a private key', 'take its "d" out, and make that workload a new key: this one is known'))
  return found
}

async function readJson<T extends object>(file: string): Promise<T> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T
  } catch (error) {
    // The parser's message quotes what it read, which may be a key.
    throw new Error(`${file} ${error instanceof SyntaxError ? 'is no JSON' : `cannot be read (${(error as NodeJS.ErrnoException).code})`}`)
  }
}

/** The gRPC doors that the service calls, and whether auth knows who it is. */
export async function checkPeers(name: PeerName, config: ServiceConfig): Promise<Finding[]> {
  const urls = { user: config.userUrl, auth: config.authUrl, notification: config.notificationUrl }
  const names = (Object.keys(urls) as PeerName[]).filter((peer) => peer !== name && urls[peer] !== undefined)
  const signer = await openSigner(name, config)
  await using peers = createPeers(config, signer, createLogger({ service: name, level: 'silent' }))
  const look = async (peer: PeerName): Promise<Finding> => {
    const place = `${peer} at ${urls[peer]}`
    try {
      const { status } = await createClient(Health, peers.to(peer)).check({}, { timeoutMs })
      if (status !== Status.SERVING) return wrong(`${place} drains`, 'it ends, or another replica takes its place: look again in a moment')
    } catch (error) {
      return wrong(
        `${place} does not answer: ${(error as Error).message}`,
        `is ${peer} running, is ${peer.toUpperCase()}_URL right, does GRPC_TLS_CA_FILE fit its certificate?`,
      )
    }
    if (peer !== 'auth') return ok(`${place} serves`)
    try {
      await createClient(IssuerService, peers.to('auth')).listIssuers({}, { timeoutMs })
      return ok(`${place} serves, and knows us as ${signer.name}`)
    } catch (error) {
      return wrong(
        `${place} serves, and refuses us: ${(error as Error).message}`,
        "is our public key in the WORKLOAD_JWKS_FILE that auth reads, and is this machine's clock right?",
      )
    }
  }
  return await Promise.all(names.map(look))
}
