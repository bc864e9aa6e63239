import { ChannelCredentials, experimental, ServerCredentials } from '@grpc/grpc-js'

/** PEM files. They are read again when they change, so that certificates can be renewed without a restart. */
export interface DoorTls {
  readonly certFile: string
  readonly keyFile: string
  /** Every client must show a certificate of this authority. */
  readonly clientCaFile?: string
  /** How often the files are looked at; default ten seconds. */
  readonly refreshIntervalMs?: number
}

/** PEM files of a client. They are read again when they change. */
export interface PeerTls {
  /** The authority that peers must have their certificate from. */
  readonly caFile: string
  /** What the client shows by itself, where the peer asks for it. */
  readonly certFile?: string
  readonly keyFile?: string
}

const REFRESH_INTERVAL_MS = 10_000

/** Server credentials of a gRPC door; plaintext without `tls`. */
export function serverCredentials(tls: DoorTls | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure()
  const provider = new experimental.FileWatcherCertificateProvider({
    certificateFile: tls.certFile,
    privateKeyFile: tls.keyFile,
    caCertificateFile: tls.clientCaFile,
    refreshIntervalMs: tls.refreshIntervalMs ?? REFRESH_INTERVAL_MS,
  })
  // grpc-js 1.14 hands the two providers on in the wrong order: the first is the identity, the second the authority. A test holds it to that.
  const authority = tls.clientCaFile === undefined ? null : provider
  return experimental.createCertificateProviderServerCredentials(provider, authority, authority !== null)
}

/** Channel credentials of a client; plaintext without `tls`. */
export function channelCredentials(tls: PeerTls | undefined): ChannelCredentials {
  if (tls === undefined) return ChannelCredentials.createInsecure()
  const provider = new experimental.FileWatcherCertificateProvider({
    caCertificateFile: tls.caFile,
    certificateFile: tls.certFile,
    privateKeyFile: tls.keyFile,
    refreshIntervalMs: REFRESH_INTERVAL_MS,
  })
  return experimental.createCertificateProviderChannelCredentials(provider, tls.certFile === undefined ? null : provider)
}
