import type { AddressInfo } from 'node:net'
import { fastifyConnectPlugin } from '@connectrpc/connect-fastify'
import { fastify } from 'fastify'
import { EchoService, echoesServed, echoImplementation } from '../echo-contract.ts'
import { answerParent, type EchoPeerActs } from './answer-parent.ts'

answerParent<Omit<EchoPeerActs, 'usage'>>({
  served: async () => echoesServed(),
  async listen() {
    const server = fastify()
    await server.register(fastifyConnectPlugin, {
      routes: (router) => {
        router.service(EchoService, echoImplementation)
      },
    })
    await server.listen({ host: '127.0.0.1', port: 0 })
    return (server.server.address() as AddressInfo).port
  },
})
