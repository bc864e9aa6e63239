import { createRegistry } from '@bufbuild/protobuf'
import { file_gatehouse_auth_v1_account_service } from '@gatehouse/contracts/gatehouse/auth/v1/account_service_pb'
import { file_gatehouse_auth_v1_challenge_service } from '@gatehouse/contracts/gatehouse/auth/v1/challenge_service_pb'
import { file_gatehouse_auth_v1_events } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { file_gatehouse_auth_v1_service_account_service } from '@gatehouse/contracts/gatehouse/auth/v1/service_account_service_pb'
import { file_gatehouse_auth_v1_session_service } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { file_gatehouse_auth_v1_workload_service } from '@gatehouse/contracts/gatehouse/auth/v1/workload_service_pb'
import { file_gatehouse_notification_v1_inbox_service } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { file_gatehouse_notification_v1_notification_service } from '@gatehouse/contracts/gatehouse/notification/v1/notification_service_pb'
import { file_gatehouse_user_v1_events } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { file_gatehouse_user_v1_user_service } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { isSpanContextValid, trace } from '@opentelemetry/api'
import { type DestinationStream, type Logger, pino } from 'pino'
import { redactMessages } from './redact.ts'

const registry = createRegistry(
  file_gatehouse_user_v1_user_service,
  file_gatehouse_user_v1_events,
  file_gatehouse_auth_v1_account_service,
  file_gatehouse_auth_v1_challenge_service,
  file_gatehouse_auth_v1_service_account_service,
  file_gatehouse_auth_v1_session_service,
  file_gatehouse_auth_v1_workload_service,
  file_gatehouse_auth_v1_events,
  file_gatehouse_notification_v1_inbox_service,
  file_gatehouse_notification_v1_notification_service,
)

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
