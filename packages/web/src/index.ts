export type { Confirm, NeededStrength } from './confirming.ts'
export { type Refused, refusedOf } from './errors.ts'
export { createGatehouse, type Gatehouse, type GatehouseOptions } from './gatehouse.ts'
export { followInbox, type InboxNews } from './inbox.ts'
export { type Access, type Interaction, type InteractionRequest, interactionAt, interactionNeeds } from './interaction.ts'
export {
  enrolPasskey,
  passkeysAutofill,
  passkeysWork,
  registerPasskey,
  showPasskey,
  signInByAutofill,
  signInWithPasskey,
} from './passkeys.ts'
export type { BrowserSession, SessionState } from './session.ts'
