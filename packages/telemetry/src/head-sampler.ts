import { type Context, createContextKey, TraceFlags, trace } from '@opentelemetry/api'
import { type Sampler, SamplingDecision, type SamplingResult } from '@opentelemetry/sdk-trace'

/** Where a door decided already that the call is recorded. The API makes the same key of the same name, so that `rpc` needs no SDK. */
const decidedKey = createContextKey('gatehouse recorded')

const recorded: SamplingResult = { decision: SamplingDecision.RECORD_AND_SAMPLED }
const passedOver: SamplingResult = { decision: SamplingDecision.NOT_RECORD }

/** Head sampling: whoever begins a trace decides for all of it, and everybody after them does the same. */
export class HeadSampler implements Sampler {
  readonly #sample: () => boolean

  constructor(sample: () => boolean) {
    this.#sample = sample
  }

  shouldSample(context: Context): SamplingResult {
    const parent = trace.getSpanContext(context)
    if (parent !== undefined && trace.isSpanContextValid(parent))
      return (parent.traceFlags & TraceFlags.SAMPLED) === 0 ? passedOver : recorded
    return context.getValue(decidedKey) === true || this.#sample() ? recorded : passedOver
  }

  toString(): string {
    return 'HeadSampler'
  }
}
