import type { Rule } from './evidence.ts'
import { acknowledgedWrites } from './rules/acknowledged-writes.ts'
import { calmLeases } from './rules/calm-leases.ts'
import { inboxRemembers } from './rules/inbox-remembers.ts'
import { mails } from './rules/mails.ts'
import { oneEffect } from './rules/one-effect.ts'
import { oneLeader } from './rules/one-leader.ts'
import { orderOfKeys } from './rules/order-of-keys.ts'
import { readsSeeWrites } from './rules/reads-see-writes.ts'
import { refreshChain } from './rules/refresh-chain.ts'
import { requestIds } from './rules/request-ids.ts'
import { settled } from './rules/settled.ts'
import { streamHasAll } from './rules/stream-has-all.ts'
import { suspensions } from './rules/suspensions.ts'
import { wholeOrNothing } from './rules/whole-or-nothing.ts'

/** What has to hold after every run. */
export const rules: readonly Rule[] = [
  settled,
  acknowledgedWrites,
  wholeOrNothing,
  requestIds,
  readsSeeWrites,
  streamHasAll,
  orderOfKeys,
  oneLeader,
  calmLeases,
  oneEffect,
  inboxRemembers,
  mails,
  refreshChain,
  suspensions,
]
