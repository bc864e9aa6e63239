/** How a cookie is set. */
export interface CookieOptions {
  readonly maxAgeSeconds: number
  readonly path?: string
  /** `strict` unless given. */
  readonly sameSite?: 'strict' | 'lax'
}

/** The cookies of one call; on the gRPC door there are none and setting one is refused. */
export interface Cookies {
  get(name: string): string | undefined
  /** Sets a `Secure; HttpOnly` cookie, which goes along from pages of this site only; `lax` has it come along where another site links to us, too. */
  set(name: string, value: string, options: CookieOptions): void
  clear(name: string): void
}

/** A call as a door received it, before anything is known about it. Implementations may make each value when it is first asked for. */
export interface Inbound {
  readonly door: 'grpc' | 'web'
  /** First value of a request header; the name in lower case. */
  header(name: string): string | undefined
  /** Address of the client, without port. */
  readonly source: string
  /** The `Host` that was called; on the web door it names the tenant. */
  readonly host?: string | undefined
  /** Epoch milliseconds. */
  readonly deadline?: number | undefined
  /** Aborted when the client went away or the deadline passed. */
  readonly signal: AbortSignal
  readonly cookies?: Cookies | undefined
  setResponseHeader(name: string, value: string): void
  /** Ends a stream whose caller does not read: aborts the signal with what the caller is told should it read on. */
  abort?(reason: unknown): void
}

/** How long the caller of a call waits. */
export interface CallBounds {
  /** Epoch milliseconds. */
  readonly deadline: number | undefined
  /** Aborted when the caller went away or the deadline passed; made when it is first read. */
  readonly signal: AbortSignal
  /** The call was answered in time: what it left running serves others. */
  readonly ended: boolean
}
