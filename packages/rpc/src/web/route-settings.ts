import type { Registry } from '@bufbuild/protobuf'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '../log.ts'
import type { CallBound } from './bounded.ts'
import type { OpenStreams } from './open-streams.ts'
import type { DoorSettings } from './web-call.ts'

/** What the routes of one door share. */
export interface RouteSettings extends DoorSettings {
  readonly log: Log
  /** Types that a google.protobuf.Any in JSON may hold. */
  readonly registry: Registry | undefined
  readonly streams: OpenStreams
  readonly calls: CallBound
}

/** Answers one HTTP request; never throws. */
export type Answer = (request: FastifyRequest, reply: FastifyReply) => Promise<void>
