import type { IncomingMessage } from 'node:http'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { commonRefusal } from '@gatehouse/rpc'
import type { Access } from './asked.ts'

/** What a page sends is a list of words. */
export const MAX_BODY_BYTES = 16 * 1024

export type Body = Readonly<Record<string, unknown>>

/** The JSON object of a request. Only a script of our pages may name the type without a preflight that nobody answers: it is asked for to the letter. */
export async function readBody(request: IncomingMessage): Promise<Body> {
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) throw malformed('content-type', 'CONTENT_TYPE')
  let length = 0
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > MAX_BODY_BYTES) throw commonRefusal(ErrorReason.REQUEST_TOO_LARGE)
    chunks.push(chunk)
  }
  const body = parsed(Buffer.concat(chunks).toString())
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw malformed('', 'JSON')
  return body as Body
}

/** What the person ticked; what is left out is nothing. */
export function accessIn({ scopes = [], claims = [], resources = {} }: Body): Access {
  if (!isWords(scopes)) throw invalidField('scopes')
  if (!isWords(claims)) throw invalidField('claims')
  if (typeof resources !== 'object' || resources === null || !Object.values(resources).every(isWords)) throw invalidField('resources')
  return { scopes, claims, resources: resources as Access['resources'] }
}

/** A field that does not fit its rules, without its value. */
export function invalidField(field: string) {
  const violations = [{ field, reason: 'NOT_ASKED', description: 'This is not what was asked.' }]
  return commonRefusal(ErrorReason.INVALID_REQUEST, {}, { violations })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw malformed('', 'JSON')
  }
}

function malformed(field: string, reason: string) {
  return commonRefusal(ErrorReason.MALFORMED_REQUEST, {}, { violations: [{ field, reason, description: 'It has to be a JSON object.' }] })
}

function isWords(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}
