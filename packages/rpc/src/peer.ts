// What it takes to call a service, without what it takes to be one: for clients that open no door.
export { type Bounds, forCaller, forTenant } from './client/call-options.ts'
export { type PeerOptions, type PeerTransport, peerTransport } from './client/peer-transport.ts'
export { isUnavailableError, reasonOf } from './peer-error.ts'
export type { PeerTls } from './tls.ts'
