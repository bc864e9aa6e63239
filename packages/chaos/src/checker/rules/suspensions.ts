import { type Attempt, acknowledged, type Operation } from '../../history.ts'
import type { Evidence, Rule } from '../evidence.ts'

/** Whoever was suspended, as somebody was told, has lost every session from before, opens none meanwhile, and signs in again when they are let back. */
export const suspensions: Rule = {
  name: 'suspensions',
  sentence: 'an acknowledged suspension ends every session and lets nobody in, and a reactivation lets them sign in again',
  *contradictions(evidence) {
    const { operations } = evidence
    yield* survivors(evidence)
    for (const [id, changes] of Map.groupBy(operations.filter(isChange), ({ args }) => String(args.id))) {
      // A call whose answer got lost can be carried out much later: from then on nobody knows how this person stands.
      if (changes.some(({ attempts }) => attempts.some(({ outcome }) => outcome?.kind !== 'done'))) continue
      for (const [at, change] of changes.entries()) {
        const span = { id, from: answeredAt(change), until: changes[at + 1]?.attempts[0]?.invoked ?? Number.POSITIVE_INFINITY }
        if (change.op === 'suspend-user') yield* entries(operations, span)
        if (change.op === 'reactivate-user') yield* refusals(operations, span)
      }
    }
  },
}

const isChange = ({ op }: Operation): boolean => op === 'suspend-user' || op === 'reactivate-user' || op === 'delete-user'
const answeredAt = ({ attempts }: Operation): number =>
  attempts.find(({ outcome }) => outcome?.kind === 'done')?.answered ?? Number.POSITIVE_INFINITY

/** Sessions that were opened before a suspension was asked for, and go on when all has settled. */
function* survivors({ operations, auth }: Evidence): Generator<string> {
  const goesOn = new Set(auth.sessions.filter(({ ended }) => !ended).map(({ id }) => id))
  const opened = operations
    .filter(({ op }) => op === 'sign-in' || op === 'verify-email')
    .flatMap((operation) => {
      const { userId, sessionId } = acknowledged(operation) ?? {}
      return goesOn.has(String(sessionId)) ? [{ userId: String(userId), sessionId, time: answeredAt(operation) }] : []
    })
  for (const operation of operations) {
    if (operation.op !== 'suspend-user' || !acknowledged(operation)) continue
    const asked = operation.attempts[0]?.invoked ?? 0
    for (const { userId, sessionId, time } of opened)
      if (userId === operation.args.id && time <= asked)
        yield `session ${sessionId} of ${userId} goes on, and their suspension was acknowledged`
  }
}

/** Of a person, between the answer to one change and the next change. */
interface Span {
  readonly id: string
  readonly from: number
  readonly until: number
}

const within = ({ invoked, answered = Number.POSITIVE_INFINITY }: Attempt, { from, until }: Span): boolean =>
  invoked >= from && answered <= until

function* entries(operations: readonly Operation[], span: Span): Generator<string> {
  for (const { op, id, attempts } of operations) {
    if (op !== 'refresh' && op !== 'sign-in') continue
    for (const attempt of attempts)
      if (attempt.outcome?.kind === 'done' && attempt.outcome.result.userId === span.id && within(attempt, span))
        yield `${op} ${id} of the suspended ${span.id} succeeded`
  }
}

/** One may meet the end of the sessions, which comes late where auth was away; the next one opens the door. */
function* refusals(operations: readonly Operation[], span: Span): Generator<string> {
  let inARow = 0
  for (const { op, args, attempts } of operations) {
    if (op !== 'sign-in' || args.userId !== span.id) continue
    for (const attempt of attempts.filter((each) => within(each, span))) {
      if (attempt.outcome?.kind === 'done') inARow = 0
      if (attempt.outcome?.kind === 'refused') inARow++
    }
    if (inARow === 2) yield `${span.id} was reactivated, and cannot sign in`
  }
}
