import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Context, createContextKey, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { SamplingDecision } from '@opentelemetry/sdk-trace'
import { HeadSampler } from './head-sampler.ts'
import { sampleByRatio } from './sample-by-ratio.ts'

const isRecorded = (sample: () => boolean, context: Context): boolean =>
  new HeadSampler(sample).shouldSample(context).decision === SamplingDecision.RECORD_AND_SAMPLED

const [always, never] = [() => true, () => false]
const under = (traceFlags: number) =>
  trace.setSpanContext(ROOT_CONTEXT, {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    traceFlags,
    isRemote: true,
  })

test('whoever is inside of a trace does as its beginning did', () => {
  assert.deepEqual([isRecorded(never, under(1)), isRecorded(always, under(0))], [true, false])
})

test('the beginning of a trace is decided once: here, or by the door before', () => {
  assert.deepEqual([isRecorded(never, ROOT_CONTEXT), isRecorded(always, ROOT_CONTEXT)], [false, true])
  assert.equal(isRecorded(never, ROOT_CONTEXT.setValue(createContextKey('gatehouse recorded'), true)), true)
})

test('a ratio is kept over many traces, and at its ends exactly', () => {
  const share = (ratio: number) => Array.from({ length: 20_000 }, sampleByRatio(ratio)).filter(Boolean).length / 20_000
  assert.deepEqual([share(0), share(1)], [0, 1])
  assert.ok(Math.abs(share(0.05) - 0.05) < 0.02)
})
