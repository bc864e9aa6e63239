import { type LoadOrder, type LoadResult, Tally } from '../load/closed-loop.ts'
import { GrpcConnection } from '../load/grpc-connection.ts'
import { HttpConnection } from '../load/http-connection.ts'
import { answerParent, type CommonActs } from './answer-parent.ts'

/** The load client: keeps calls under way for a while and checks every answer. */
export interface LoadClientActs extends CommonActs {
  grpc(order: LoadOrder): Promise<LoadResult>
  http(order: LoadOrder): Promise<LoadResult>
}

answerParent<Omit<LoadClientActs, 'usage'>>({
  async grpc({ port, path, headers, calls, seconds, inFlight, connections, firstNumber }) {
    const tally = new Tally(seconds, firstNumber)
    const each = Math.ceil(inFlight / connections)
    await Promise.all(
      Array.from({ length: connections }, (_, number) =>
        new GrpcConnection(port, path, headers, calls, startOf(number, connections, calls.length), tally).run(each),
      ),
    )
    return tally.result()
  },
  async http(order) {
    const { calls, seconds, connections } = order
    const tally = new Tally(seconds)
    await Promise.all(
      Array.from({ length: connections }, (_, number) =>
        new HttpConnection(order, startOf(number, connections, calls.length), tally).run(),
      ),
    )
    return tally.result()
  },
})

/** Connections begin at different calls, so that they do not ask for the same thing at the same time. */
function startOf(number: number, connections: number, calls: number): number {
  return Math.floor((number * calls) / connections)
}
