import { createSocket } from 'node:dgram'
import { once } from 'node:events'

/** A name server like a cluster's own: a headless name has the addresses of all replicas that are ready. */
export interface NameServer extends AsyncDisposable {
  /** Addresses of each name, in lower case; what is not there is not known. */
  readonly addresses: Map<string, readonly string[]>
}

const headerBytes = 12
const isAnswer = 0x8400
const noSuchName = 3
const typeA = 1

/** Answers for IPv4 addresses, over UDP (RFC 1035), with nothing that may be kept. */
export async function startNameServer(address: string, port: number): Promise<NameServer> {
  const addresses = new Map<string, readonly string[]>()
  const socket = createSocket('udp4')
  socket.on('message', (query, from) => socket.send(answerTo(query, addresses), from.port, from.address))
  socket.bind(port, address)
  await once(socket, 'listening')
  return {
    addresses,
    async [Symbol.asyncDispose]() {
      socket.close()
    },
  }
}

function answerTo(query: Buffer, addresses: NameServer['addresses']): Buffer {
  const labels: string[] = []
  let at = headerBytes
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  const question = query.subarray(headerBytes, at + 5)
  const known = addresses.get(labels.join('.').toLowerCase())
  const found = query.readUInt16BE(at + 1) === typeA ? (known ?? []) : []
  const header = Buffer.from(query.subarray(0, headerBytes))
  header.writeUInt16BE(isAnswer | (known === undefined ? noSuchName : 0), 2)
  for (const [place, count] of [1, found.length, 0, 0].entries()) header.writeUInt16BE(count, 4 + 2 * place)
  // The name is the question's, then type and class, a time to live of nothing, and four bytes.
  const records = found.map((address) => Buffer.from([0xc0, headerBytes, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]))
  return Buffer.concat([header, question, ...records])
}
