import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'

/** What an attribute may hold, as far as ours do. */
export type Attribute = string | number | boolean | readonly Attribute[]

/** A span as a collector receives it. Ids are in lower-case hexadecimal. */
export interface ReceivedSpan {
  /** `service.name` of its process. */
  readonly service: string
  readonly traceId: string
  readonly spanId: string
  /** Empty at the root. */
  readonly parentSpanId: string
  readonly name: string
  readonly kind: 'INTERNAL' | 'SERVER' | 'CLIENT' | 'PRODUCER' | 'CONSUMER'
  readonly attributes: Readonly<Record<string, Attribute>>
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly failed: boolean
}

type Fields = readonly { readonly number: number; readonly value: Uint8Array | bigint }[]

const kinds = ['INTERNAL', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'] as const

/** Reads an `ExportTraceServiceRequest` (opentelemetry-proto, collector/trace/v1), by the numbers of its fields. */
export function readSpans(request: Uint8Array): ReceivedSpan[] {
  return all(request, 1).flatMap((resourceSpans) => {
    const resource = attributesOf(all(resourceSpans, 1).flatMap((each) => all(each, 1)))
    return all(resourceSpans, 2).flatMap((scopeSpans) =>
      all(scopeSpans, 2).map((span) => readSpan(span, String(resource['service.name'] ?? ''))),
    )
  })
}

function readSpan(span: Uint8Array, service: string): ReceivedSpan {
  return {
    service,
    traceId: hex(all(span, 1)[0]),
    spanId: hex(all(span, 2)[0]),
    parentSpanId: hex(all(span, 4)[0]),
    name: text(all(span, 5)[0]),
    kind: kinds[number(span, 6)] ?? 'INTERNAL',
    attributes: attributesOf(all(span, 9)),
    links: all(span, 13).map((link) => ({ traceId: hex(all(link, 1)[0]), spanId: hex(all(link, 2)[0]) })),
    failed: all(span, 15).some((status) => number(status, 3) === 2),
  }
}

function attributesOf(pairs: readonly Uint8Array[]): Record<string, Attribute> {
  return Object.fromEntries(pairs.map((pair) => [text(all(pair, 1)[0]), anyValue(all(pair, 2)[0])]))
}

function anyValue(bytes: Uint8Array | undefined): Attribute {
  const [field] = bytes === undefined ? [] : fieldsOf(bytes)
  if (field === undefined) return ''
  const { number: which, value } = field
  if (value instanceof Uint8Array) return which === 5 ? all(value, 1).map(anyValue) : text(value)
  return which === 2 ? value === 1n : which === 4 ? (new Float64Array(new BigUint64Array([value]).buffer)[0] ?? 0) : Number(value)
}

const all = (bytes: Uint8Array, wanted: number): Uint8Array[] =>
  fieldsOf(bytes).flatMap(({ number: which, value }) => (which === wanted && value instanceof Uint8Array ? [value] : []))

const number = (bytes: Uint8Array, wanted: number): number => Number(fieldsOf(bytes).find((field) => field.number === wanted)?.value ?? 0)

function fieldsOf(bytes: Uint8Array): Fields {
  const reader = new BinaryReader(bytes)
  const fields: { number: number; value: Uint8Array | bigint }[] = []
  while (reader.pos < reader.len) {
    const [which, type] = reader.tag()
    if (type === WireType.LengthDelimited) fields.push({ number: which, value: reader.bytes() })
    else if (type === WireType.Varint) fields.push({ number: which, value: BigInt(reader.uint64()) })
    else if (type === WireType.Bit64) fields.push({ number: which, value: BigInt(reader.fixed64()) })
    else reader.skip(type, which)
  }
  return fields
}

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex')
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString()
