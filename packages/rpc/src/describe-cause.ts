const MAX_DEPTH = 4

/** What a log may hold of an error: its kind, code and place, through its causes. Never its other members: a database error's `detail` holds the row. */
export interface CauseDescription {
  readonly type: string
  readonly message: string
  readonly code?: string | number
  readonly stack?: string
  readonly cause?: CauseDescription
}

/** Describes an error for a log line; `undefined` for no error. */
export function describeCause(error: unknown, depth = 0): CauseDescription | undefined {
  if (error === undefined || error === null || depth === MAX_DEPTH) return undefined
  if (!(error instanceof Error)) return { type: typeof error, message: 'not an Error was thrown' }
  const code: unknown = 'code' in error ? error.code : undefined
  const cause = describeCause(error.cause, depth + 1)
  return {
    type: error.name,
    message: error.message,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(cause === undefined ? {} : { cause }),
  }
}
