import { type Client, createClient, type Transport } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-node'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import type { WorkloadSigner } from '@gatehouse/identity'
import { type PeerTransport, peerTransport } from '@gatehouse/rpc'

export type Users = Client<typeof UserService>

/** Calls over the gRPC door, as a workload, a person, both or nobody. The transport is to be disposed. */
export function overGrpc(
  url: string,
  headers: Record<string, string>,
  signer?: WorkloadSigner,
): { users: Users; transport: PeerTransport } {
  const transport = peerTransport({ target: 'user', url, ...(signer && { signer }) })
  const withHeaders: Transport = {
    unary: (method, signal, timeoutMs, header, input) =>
      transport.unary(method, signal, timeoutMs, { ...headers, ...Object.fromEntries(new Headers(header)) }, input),
    stream: (method, signal, timeoutMs, header, input) =>
      transport.stream(method, signal, timeoutMs, { ...headers, ...Object.fromEntries(new Headers(header)) }, input),
  }
  return { users: createClient(UserService, withHeaders), transport }
}

/** Calls over the web door, with the client that stands behind browsers' clients too. */
export function overWeb(baseUrl: string, token?: string): Users {
  const transport = createConnectTransport({
    baseUrl,
    httpVersion: '1.1',
    useBinaryFormat: false,
    interceptors: [
      (next) => (request) => {
        if (token !== undefined) request.header.set('authorization', `Bearer ${token}`)
        return next(request)
      },
    ],
  })
  return createClient(UserService, transport)
}
