export type { Envelope } from '@gatehouse/events'
export { type Person, TokenInvalid, VerificationUnavailable } from '@gatehouse/identity'
export { reasonOf } from '@gatehouse/rpc'
export { type ConnectOptions, connectGatehouse, type GatehouseClient } from './connect-gatehouse.ts'
