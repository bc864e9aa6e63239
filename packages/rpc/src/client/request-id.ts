import { randomUUID } from 'node:crypto'
import { clone, type DescMessage, type MessageShape, ScalarType } from '@bufbuild/protobuf'

/**
 * The request with a `request_id` of our own where its message has that field and the caller left it empty: an RPC that the contract calls idempotent
 * because of its `request_id` is not without one, and every repetition has to carry the same. The caller's message stays as it is.
 */
export function withRequestId<Desc extends DescMessage>(schema: Desc, request: MessageShape<Desc>): MessageShape<Desc> {
  const field = schema.field.requestId
  if (field?.fieldKind !== 'scalar' || field.scalar !== ScalarType.STRING) return request
  if ((request as unknown as { readonly requestId: string }).requestId !== '') return request
  return Object.assign(clone(schema, request), { requestId: randomUUID() })
}
