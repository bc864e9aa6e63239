export type { Envelope } from '@gatehouse/events/subscriber'
export { type Person, TokenInvalid, VerificationUnavailable } from '@gatehouse/identity'
export { reasonOf } from '@gatehouse/rpc/peer'
export { type ConnectOptions, connectGatehouse, type GatehouseClient } from './connect-gatehouse.ts'
