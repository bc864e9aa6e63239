import { createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { connectNodeAdapter } from '@connectrpc/connect-node'
import { EchoService, echoesServed, echoImplementation } from '../echo-contract.ts'
import { answerParent, type EchoPeerActs } from './answer-parent.ts'

answerParent<Omit<EchoPeerActs, 'usage'>>({
  served: async () => echoesServed(),
  async listen() {
    const handler = connectNodeAdapter({
      routes: (router) => {
        router.service(EchoService, echoImplementation)
      },
    })
    const server = createServer(handler)
    return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))
  },
})
