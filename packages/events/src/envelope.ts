import type { JsMsg } from '@nats-io/jetstream'
import { type MsgHdrs, MsgHdrsImpl } from '@nats-io/nats-core'

/** What stands around an event's body: CloudEvents attributes in NATS headers. */
export type Envelope = {
  /** UUIDv7, the same in every delivery and replay. */
  readonly id: string
  readonly tenant: string
  /** Full name of the event message. */
  readonly type: string
  /** The aggregate's id. */
  readonly key: string
  /** The aggregate's version: a handler ignores events that are not newer than what it holds. */
  readonly version: bigint
  /** When the fact was written. */
  readonly time: Date
  readonly traceparent?: string
}

/** Writes the headers of an event; `Nats-Msg-Id` lets the stream drop a repetition. Throws TypeError for a key that cannot stand in a header. */
export function toHeaders(envelope: Envelope, service: string): MsgHdrs {
  const { id, type, key, version, time, traceparent } = envelope
  if (lineBreak.test(key) || (traceparent !== undefined && lineBreak.test(traceparent)))
    throw new TypeError(`a line break in the key of ${id}`)
  // Setting them one by one checks and searches each name, which costs more than all the rest of a publication.
  const written: Record<string, string[]> = {
    'Nats-Msg-Id': [id],
    'ce-specversion': ['1.0'],
    'ce-id': [id],
    'ce-type': [type],
    'ce-source': [`gatehouse/${service}`],
    'ce-subject': [key],
    'ce-sequence': [String(version)],
    'ce-time': [time.toISOString()],
    'content-type': ['application/protobuf'],
  }
  if (traceparent !== undefined) written.traceparent = [traceparent]
  return MsgHdrsImpl.fromRecord(written)
}

const lineBreak = /[\r\n]/

/**
 * Whether a message was written as the event that its subject says it is. Whoever may ask nats-server for anything can have the answer sent among events: it
 * may decode, for all fields of a message may be missing, but it has no headers of ours.
 */
export const isEvent = ({ subject, headers }: Pick<JsMsg, 'subject' | 'headers'>): boolean =>
  headers?.get('ce-type') === subject.slice(0, subject.lastIndexOf('.'))

/**
 * Reads the envelope of a delivery. The subject is what NATS checks permissions by, so tenant and type are taken from it.
 * What is missing is made up from the place in the stream: such a message can still be put aside under a name.
 */
export function fromMessage(
  message: Pick<JsMsg, 'subject' | 'headers'> & { readonly info: Pick<JsMsg['info'], 'stream' | 'streamSequence' | 'timestampNanos'> },
): Envelope {
  const of = (name: string): string => message.headers?.get(name) ?? ''
  const cut = message.subject.lastIndexOf('.')
  const { stream, streamSequence, timestampNanos } = message.info
  const sequence = of('ce-sequence')
  const time = new Date(of('ce-time'))
  const traceparent = of('traceparent')
  return {
    id: of('ce-id') || `${stream}:${streamSequence}`,
    tenant: message.subject.slice(cut + 1),
    type: message.subject.slice(0, cut),
    key: of('ce-subject'),
    version: /^\d{1,18}$/.test(sequence) ? BigInt(sequence) : 0n,
    time: Number.isNaN(time.getTime()) ? new Date(timestampNanos / 1e6) : time,
    ...(traceparent !== '' && { traceparent }),
  }
}
