import { createRegistry } from '@bufbuild/protobuf'
import { files } from '@gatehouse/contracts/files'
import { isSpanContextValid, trace } from '@opentelemetry/api'
import { type DestinationStream, type Logger, pino } from 'pino'
import { redactMessages } from './redact.ts'

const registry = createRegistry(...files)

// The contract's word on its messages comes first; these names are for what never was a message, such as headers.
const secretNames = [
  'password',
  'token',
  'access_token',
  'refresh_token',
  'accessToken',
  'refreshToken',
  'secret',
  'apiKey',
  'authorization',
  'cookie',
  'set-cookie',
  'gatehouse-workload',
]

/** Options of {@link createLogger}. */
export interface LoggerOptions {
  /** Name of the service, in every line. */
  service: string
  level?: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** Where lines go; standard output unless given. */
  destination?: DestinationStream
}

/**
 * A logger that writes one JSON object a line, with the trace of the call in it. Messages of the contract are logged without their personal and
 * secret fields; control characters in values are escaped by JSON, so no value can begin a line of its own.
 */
export function createLogger({ service, level = 'info', destination }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: secretNames.flatMap((name) => [`["${name}"]`, `*["${name}"]`]), censor: '[secret]' },
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => redactMessages(fields, registry),
      },
      mixin: () => {
        const span = trace.getActiveSpan()?.spanContext()
        return span && isSpanContextValid(span) ? { trace_id: span.traceId } : {}
      },
    },
    destination ?? pino.destination({ sync: true }),
  )
}

export type { Logger }
