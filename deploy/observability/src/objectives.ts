import { files } from '@gatehouse/contracts/files'

/** What a house promises over thirty days, as a share of what came that has to be good. */
export interface Objective {
  /** Its word in recorded series: `calls_available`. */
  readonly slo: string
  /** How its alerts begin. */
  readonly alert: string
  /** The share that has to be good: 0.999. */
  readonly target: number
  /** Labels that tell apart whose budget it is. */
  readonly by: string
  /** What went wrong, and everything, as rates over a window such as `5m`. */
  readonly bad: (window: string) => string
  readonly all: (window: string) => string
  /** Fewer a second are too few to speak of a share. */
  readonly fewest: number
  /** What goes wrong, in the words of a sentence: "answers too many calls with a fault". */
  readonly says: string
}

/** RPCs that last as long as somebody listens: how long says nothing. */
const streams = files
  .flatMap(({ services }) => services)
  .flatMap(({ typeName, methods }) => methods.filter(({ methodKind }) => methodKind !== 'unary').map(({ name }) => `${typeName}/${name}`))
  .sort()

// Written with and without the zero: Prometheus 3 stores bounds as floating-point numbers, older ones as they were exposed.
const upTo = (bound: number): string => (Number.isInteger(bound) ? `le=~"${bound}|${bound}.0"` : `le="${bound}"`)

const braced = (...labels: readonly string[]): string => {
  const given = labels.filter((each) => each !== '')
  return given.length === 0 ? '' : `{${given.join(',')}}`
}

const unary = `rpc_method!~"${streams.join('|').replaceAll('.', '[.]')}"`
const overBound = (metric: string, labels: string, bound: number, by: string) => (window: string) =>
  `sum by (${by}) (rate(${metric}_count${braced(labels)}[${window}])) - sum by (${by}) (rate(${metric}_bucket${braced(labels, upTo(bound))}[${window}]))`
const allOf = (metric: string, labels: string, by: string) => (window: string) =>
  `sum by (${by}) (rate(${metric}_count${braced(labels)}[${window}]))`

/** The promises. Each bound is a bucket of its histogram. */
export const objectives: readonly Objective[] = [
  {
    slo: 'calls_available',
    alert: 'GatehouseAvailability',
    target: 0.999,
    by: 'job',
    bad: (window) => `sum by (job) (rate(rpc_server_call_duration_count{error_type!=""}[${window}]))`,
    all: allOf('rpc_server_call_duration', '', 'job'),
    fewest: 0.02,
    says: '{{ $labels.job }} answers too many calls with a fault',
  },
  {
    slo: 'calls_fast',
    alert: 'GatehouseLatency',
    target: 0.99,
    by: 'job',
    bad: overBound('rpc_server_call_duration', unary, 0.25, 'job'),
    all: allOf('rpc_server_call_duration', unary, 'job'),
    fewest: 0.02,
    says: '{{ $labels.job }} takes longer than 250 ms for too many calls',
  },
  {
    slo: 'events_prompt',
    alert: 'GatehouseEventsPrompt',
    target: 0.99,
    by: 'consumer',
    bad: overBound('gatehouse_events_delay', '', 5, 'consumer'),
    all: allOf('gatehouse_events_delay', '', 'consumer'),
    fewest: 0.002,
    says: '{{ $labels.consumer }} has too many effects of events later than 5 s after their fact',
  },
  {
    slo: 'mails_prompt',
    alert: 'GatehouseMailsPrompt',
    target: 0.99,
    by: 'job',
    bad: overBound('gatehouse_mail_delay', 'urgent="true"', 30, 'job'),
    all: allOf('gatehouse_mail_delay', 'urgent="true"', 'job'),
    fewest: 0.002,
    says: 'Too many mails that somebody waits for leave later than after 30 s',
  },
]
