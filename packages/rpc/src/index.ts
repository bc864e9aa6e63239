export { type Call, callOf } from './call.ts'
export { type Bounds, forCaller, forTenant } from './client/call-options.ts'
export { type PeerOptions, type PeerTransport, peerTransport } from './client/peer-transport.ts'
export { currentCall, nameOfCaller } from './current-call.ts'
export { canonicalEmail, emailKey } from './email.ts'
export { fingerprint } from './fingerprint.ts'
export { createGrpcDoor, type GrpcDoor, type GrpcDoorOptions } from './grpc/grpc-door.ts'
export type { GuardedMethod, GuardedService } from './guarded-method.ts'
export type { CookieOptions, Cookies, Inbound } from './inbound.ts'
export {
  createLimitOverrides,
  followLimits,
  type LimitFollower,
  type LimitOverrides,
  type LimitSource,
  type SetLimit,
} from './limit-overrides.ts'
export type { LimitAnswer, LimitCharge, LimitStore } from './limit-store.ts'
export { compileFieldLimitKeys } from './limits.ts'
export type { Log } from './log.ts'
export { keyThatFits, type MacKeys, macKeys } from './mac-keys.ts'
export { overloaded, type Shed, showShed } from './overloaded.ts'
export { isUnavailableError, reasonOf } from './peer-error.ts'
export {
  ContractError,
  createPipeline,
  type Pipeline,
  type PipelineOptions,
} from './pipeline.ts'
export {
  commonRefusal,
  Refusal,
  type RefusalExtra,
  refusals,
  type Violation,
} from './refusal.ts'
export { type Repeated, repeated } from './repeated.ts'
export { sourceNetwork } from './source-network.ts'
export { longestStreamSeconds } from './stream-ends.ts'
export type { DoorTls, PeerTls } from './tls.ts'
export { compileRequestCheck, type RequestCheck } from './validation.ts'
export type { RawCall } from './web/raw-call.ts'
export type { RawAct, RawDoor, RawRoute } from './web/raw-routes.ts'
export { isOpenToPeople, type RestRoute, restRoutes } from './web/rest-routes.ts'
export { readCookie } from './web/web-cookies.ts'
export { createWebDoor, type WebDoor, type WebDoorOptions, type WebRoutes } from './web/web-door.ts'
