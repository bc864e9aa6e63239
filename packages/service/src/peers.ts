import type { Transport } from '@connectrpc/connect'
import type { ServiceConfig } from '@gatehouse/config'
import type { WorkloadSigner } from '@gatehouse/identity'
import { currentBounds } from '@gatehouse/postgres'
import { type PeerTransport, peerTransport } from '@gatehouse/rpc'
import type { Logger } from '@gatehouse/telemetry'

/** Services that can be called. */
export type PeerName = 'user' | 'auth' | 'notification'

/** Transports to the peers of a process, each made when it is first asked for. */
export interface Peers extends AsyncDisposable {
  /** @throws TypeError when the configuration does not say where the peer is. */
  to(name: PeerName): Transport
}

/** Reaches peers with the own workload's tokens. */
export function createPeers(config: ServiceConfig, signer: WorkloadSigner, log: Logger): Peers {
  const transports = new Map<PeerName, PeerTransport>()
  const urls = { user: config.userUrl, auth: config.authUrl, notification: config.notificationUrl }
  return {
    to(name) {
      const held = transports.get(name)
      if (held) return held
      const url = urls[name]
      if (url === undefined) throw new TypeError(`${name.toUpperCase()}_URL is missing: where is the ${name} service?`)
      const transport = peerTransport({
        target: name,
        url,
        signer,
        log,
        bounds: currentBounds,
        ...(config.grpcTlsCaFile !== undefined && { tls: { caFile: config.grpcTlsCaFile } }),
      })
      transports.set(name, transport)
      return transport
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...transports.values()].map((transport) => transport[Symbol.asyncDispose]()))
    },
  }
}
