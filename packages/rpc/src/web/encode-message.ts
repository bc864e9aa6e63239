import { type DescMessage, type JsonValue, type Message, type Registry, toBinary, toJson } from '@bufbuild/protobuf'

/** Protobuf bytes without a copy. */
export function encodeBinary(desc: DescMessage, message: Message): Buffer {
  const bytes = toBinary(desc, message)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Protobuf JSON as RPC clients read it: what has its default value is left out. */
export function encodeJson(desc: DescMessage, message: Message, registry: Registry | undefined): string {
  return JSON.stringify(toJson(desc, message, registry === undefined ? undefined : { registry }))
}

/** Protobuf JSON as people read it: with every field, also `false` and the empty list. */
export function toRestJson(desc: DescMessage, message: Message, registry: Registry | undefined): JsonValue {
  return toJson(desc, message, registry === undefined ? { alwaysEmitImplicit: true } : { alwaysEmitImplicit: true, registry })
}
