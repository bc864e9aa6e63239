import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import type { Outcome } from './outcome.ts'

/** What a worker set out to do; one operation is tried until it is answered, or given up. */
export interface Operation {
  readonly worker: string
  readonly op: string
  /** Names the operation in the history; where the contract has a `request_id`, it is this. */
  readonly id: string
  readonly args: Readonly<Record<string, string | number>>
  readonly attempts: Attempt[]
}

/** One call, and what came of it; without an outcome nobody knows. */
export interface Attempt {
  /** Milliseconds of the history. */
  readonly invoked: number
  answered?: number
  outcome?: Outcome
}

/** The answer of an operation that was acknowledged. */
export function acknowledged(operation: Operation): Readonly<Record<string, string | number>> | undefined {
  for (const { outcome } of operation.attempts) if (outcome?.kind === 'done') return outcome.result
  return undefined
}

/** Something that was done to the house. */
export interface FaultRecord {
  readonly fault: string
  readonly time: number
}

type Line =
  | ({ readonly t: 'invoke'; readonly n: number; readonly time: number } & Omit<Operation, 'attempts'>)
  | { readonly t: 'answer'; readonly n: number; readonly time: number; readonly outcome: Outcome }
  | { readonly t: 'fault'; readonly fault: string; readonly time: number }

/** Everything that was tried and answered, in memory and in an append-only file of JSON lines that outlives whoever writes it. */
export class History implements Disposable {
  readonly operations: Operation[] = []
  readonly faults: FaultRecord[] = []
  readonly #began = performance.now()
  readonly #file: number | undefined
  readonly #byKey = new Map<string, Operation>()
  #count = 0

  /** Without a file, in memory only. */
  constructor(file?: string) {
    this.#file = file === undefined ? undefined : openSync(file, 'a')
  }

  now(): number {
    return Math.round(performance.now() - this.#began)
  }

  /** A call goes out. Answers where its outcome is to be told. */
  invoke(operation: Omit<Operation, 'attempts'>): (outcome: Outcome) => void {
    const { worker, op, id, args } = operation
    const n = this.#count++
    const time = this.now()
    this.#write({ t: 'invoke', n, time, worker, op, id, args })
    const attempt: Attempt = { invoked: time }
    this.#of(operation).attempts.push(attempt)
    return (outcome) => {
      attempt.answered = this.now()
      attempt.outcome = outcome
      this.#write({ t: 'answer', n, time: attempt.answered, outcome })
    }
  }

  /** Something is done to the house. */
  fault(fault: string): void {
    const time = this.now()
    this.faults.push({ fault, time })
    this.#write({ t: 'fault', fault, time })
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file)
  }

  #of({ worker, op, id, args }: Omit<Operation, 'attempts'>): Operation {
    const key = `${op} ${id}`
    const known = this.#byKey.get(key)
    if (known !== undefined) return known
    const operation: Operation = { worker, op, id, args, attempts: [] }
    this.#byKey.set(key, operation)
    this.operations.push(operation)
    return operation
  }

  #write(line: Line): void {
    if (this.#file !== undefined) writeSync(this.#file, `${JSON.stringify(line)}\n`)
  }
}

/** Reads a history again, also one whose last line is torn. */
export function readHistory(file: string): Pick<History, 'operations' | 'faults'> {
  const operations = new Map<string, Operation>()
  const attempts = new Map<number, Attempt>()
  const faults: FaultRecord[] = []
  for (const text of readFileSync(file, 'utf8').split('\n')) {
    const line = parsed(text)
    if (line?.t === 'invoke') {
      const { worker, op, id, args } = line
      const key = `${op} ${id}`
      const operation = operations.get(key) ?? { worker, op, id, args, attempts: [] }
      operations.set(key, operation)
      const attempt: Attempt = { invoked: line.time }
      operation.attempts.push(attempt)
      attempts.set(line.n, attempt)
    } else if (line?.t === 'answer') {
      const attempt = attempts.get(line.n)
      if (attempt) Object.assign(attempt, { answered: line.time, outcome: line.outcome })
    } else if (line?.t === 'fault') faults.push({ fault: line.fault, time: line.time })
  }
  return { operations: [...operations.values()], faults }
}

function parsed(text: string): Line | undefined {
  try {
    return JSON.parse(text) as Line
  } catch {
    return undefined
  }
}
