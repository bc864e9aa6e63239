import { ackBeforeCommit } from './ack-before-commit.ts'
import { asynchronousStandby } from './asynchronous-standby.ts'
import { cursorByLast } from './cursor-by-last.ts'
import { deliveredBeforeSent } from './delivered-before-sent.ts'
import { leaseWithoutFence } from './lease-without-fence.ts'
import { listens } from './listens.ts'
import { markedBeforeAnswer } from './marked-before-answer.ts'
import { noDrain } from './no-drain.ts'
import { noInboxRow } from './no-inbox-row.ts'
import { noMessageId } from './no-message-id.ts'
import { oneCopy } from './one-copy.ts'
import { outboxAfterCommit } from './outbox-after-commit.ts'
import type { PlantedFault } from './planted-fault.ts'
import { refreshInTwo } from './refresh-in-two.ts'
import { requestWithoutResult } from './request-without-result.ts'
import { sessionsOutliveSuspension } from './sessions-outlive-suspension.ts'
import { silenceIsConsent } from './silence-is-consent.ts'

/** Every one has to be found. */
export const plantedFaults: readonly PlantedFault[] = [
  outboxAfterCommit,
  ackBeforeCommit,
  noInboxRow,
  requestWithoutResult,
  refreshInTwo,
  deliveredBeforeSent,
  markedBeforeAnswer,
  cursorByLast,
  leaseWithoutFence,
  noMessageId,
  silenceIsConsent,
  noDrain,
  sessionsOutliveSuspension,
  oneCopy,
  listens,
  asynchronousStandby,
]
