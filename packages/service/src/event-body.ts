import { createRegistry, fromBinary } from '@bufbuild/protobuf'
import { file_gatehouse_auth_v1_events } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { file_gatehouse_notification_v1_events } from '@gatehouse/contracts/gatehouse/notification/v1/events_pb'
import { file_gatehouse_user_v1_events } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { redact } from '@gatehouse/telemetry'

const events = createRegistry(file_gatehouse_user_v1_events, file_gatehouse_auth_v1_events, file_gatehouse_notification_v1_events)

/** An event's fields for an operator: what the contract calls personal or secret is left out, and bytes that are no such event are only counted. */
export function bodyOf(type: string, payload: Uint8Array): string {
  const schema = events.getMessage(type)
  if (schema === undefined) return `${payload.length} bytes; this version knows no event ${type}`
  try {
    return JSON.stringify(redact(schema, fromBinary(schema, payload)))
  } catch {
    return `${payload.length} bytes that are no ${type}`
  }
}
