import { createClient, type Transport } from '@connectrpc/connect'
import { peerTransport, reasonOf } from '@gatehouse/rpc'
import { echoed, echoRequest, LimitedEchoService } from '../echo-contract.ts'
import { answerParent, type CommonActs } from './answer-parent.ts'

/** Everybody at once. */
export interface LimitBurstActs extends CommonActs {
  /** Makes so many calls at the same moment, in turn to each port, all counted as one; answers how many passed. Anything but "yes" and "no more" throws. */
  run(order: { readonly ports: readonly number[]; readonly token: string; readonly text: string; readonly calls: number }): Promise<number>
}

answerParent<Omit<LimitBurstActs, 'usage'>>({
  async run({ ports, token, text, calls }) {
    await using transports = new AsyncDisposableStack()
    const clients = ports.map((port) =>
      clientOf(transports.use(peerTransport({ target: 'bench', url: `127.0.0.1:${port}`, maxCalls: calls }))),
    )
    const headers = { authorization: `Bearer ${token}` }
    const passed = await Promise.all(
      Array.from({ length: calls }, async (_, number) => {
        const request = echoRequest(idOf(number), text)
        try {
          const answer = await clients[number % clients.length]?.burst(request, { headers, timeoutMs: 60_000 })
          if (answer === undefined || JSON.stringify(answer) !== JSON.stringify(echoed(request)))
            throw new Error(`echoed ${JSON.stringify(answer)}`)
          return true
        } catch (error) {
          if (reasonOf(error) === 'LIMIT_EXCEEDED') return false
          throw error
        }
      }),
    )
    return passed.filter(Boolean).length
  },
})

type Burst = { burst(request: object, options: object): Promise<object> }

function clientOf(transport: Transport): Burst {
  return createClient(LimitedEchoService, transport) as unknown as Burst
}

function idOf(number: number): string {
  return `0190a0de-0000-7000-8000-${number.toString(16).padStart(12, '0')}`
}
