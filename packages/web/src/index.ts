export { type Refused, refusedOf } from './errors.ts'
export { createGatehouse, type Gatehouse, type GatehouseOptions } from './gatehouse.ts'
export { followInbox, type InboxNews } from './inbox.ts'
export type { BrowserSession, SessionState } from './session.ts'
