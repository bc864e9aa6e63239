import type { PlantedFault } from './planted-fault.ts'

export const noDrain: PlantedFault = {
  name: 'no-drain',
  mistake: 'a replica that is asked to end closes its database before the calls in flight are answered',
  scenario: 'rolling-restart',
  rules: ['no-call-fails'],
  edits: [
    {
      file: 'packages/service/src/open-service.ts',
      find: '      await within(config.drainTimeout, Promise.all([grpc.drain(config.drainTimeout), web.drain()]))',
      replace: '      await Promise.all([within(0, grpc.drain(0)), database[Symbol.asyncDispose]()])',
    },
  ],
}
