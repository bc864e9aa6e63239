import type { Dashboard, Panel, Row } from './dashboard.ts'

/** A part of the second in which `share` of what a histogram counted was done. */
export const quantile = (share: number, bucket: string, by = ''): string =>
  `histogram_quantile(${share}, sum by (${by === '' ? 'le' : `le, ${by}`}) (rate(${bucket}[5m])))`

/** What every service has: its doors, what it asks of others, its events and its process. */
export function serviceDashboard(service: string, about: string, own: readonly Row[]): Dashboard {
  const of = `job="${service}"`
  const calls: readonly Panel[] = [
    {
      title: 'Calls',
      about: 'By method, both doors.',
      unit: 'reqps',
      queries: [{ expr: `sum by (rpc_method) (rate(rpc_server_call_duration_count{${of}}[5m]))`, legend: '{{rpc_method}}' }],
    },
    {
      title: 'Faults',
      about: 'Calls that ended with a fault of the server, by method and code: GatehouseCallsFail, GatehouseUnavailable.',
      unit: 'reqps',
      queries: [
        {
          expr: `sum by (rpc_method, rpc_response_status_code) (rate(rpc_server_call_duration_count{${of},error_type!=""}[5m]))`,
          legend: '{{rpc_method}} {{rpc_response_status_code}}',
        },
      ],
    },
    {
      title: 'Refused',
      about: 'Calls that callers have to mend, by code.',
      unit: 'reqps',
      queries: [
        {
          expr: `sum by (rpc_response_status_code) (rate(rpc_server_call_duration_count{${of},error_type="",rpc_response_status_code!="OK"}[5m]))`,
          legend: '{{rpc_response_status_code}}',
        },
      ],
    },
    {
      title: 'Time of calls',
      about: 'Streams are in it: look at one method where a line is strange.',
      unit: 's',
      queries: [0.5, 0.95, 0.99].map((share) => ({
        expr: quantile(share, `rpc_server_call_duration_bucket{${of}}`),
        legend: `p${share * 100}`,
      })),
    },
    {
      title: 'Slowest methods',
      about: 'The p95 of the five slowest.',
      unit: 's',
      queries: [{ expr: `topk(5, ${quantile(0.95, `rpc_server_call_duration_bucket{${of}}`, 'rpc_method')})`, legend: '{{rpc_method}}' }],
    },
    {
      title: 'Shed',
      about: 'Refused for want of room: GatehouseSheds.',
      unit: 'reqps',
      red: 0.01,
      queries: [{ expr: `sum by (what) (rate(gatehouse_shed_total{${of}}[5m]))`, legend: '{{what}}' }],
    },
  ]
  const asked: readonly Panel[] = [
    {
      title: 'Calls to peers',
      about: 'p95 of each method that is called elsewhere, repetitions included.',
      unit: 's',
      queries: [{ expr: quantile(0.95, `rpc_client_call_duration_bucket{${of}}`, 'rpc_method'), legend: '{{rpc_method}}' }],
    },
    {
      title: 'Failed calls to peers',
      about: 'By method and code.',
      unit: 'reqps',
      queries: [
        {
          expr: `sum by (rpc_method, error_type) (rate(rpc_client_call_duration_count{${of},error_type!=""}[5m]))`,
          legend: '{{rpc_method}} {{error_type}}',
        },
      ],
    },
    {
      title: 'Connections to Postgres',
      about: 'GatehousePoolSaturated at nine tenths of the line above.',
      unit: 'short',
      queries: [
        { expr: `sum by (db_client_connection_state) (db_client_connection_count{${of}})`, legend: '{{db_client_connection_state}}' },
        { expr: `sum(db_client_connection_pending_requests{${of}})`, legend: 'waiting calls' },
        { expr: `sum(db_client_connection_max{${of}})`, legend: 'at most' },
      ],
    },
  ]
  const events: readonly Panel[] = [
    {
      title: 'Outbox',
      about: 'Age of the oldest event that waits for the broker: GatehouseOutboxOld.',
      unit: 's',
      red: 60,
      queries: [{ expr: `max(gatehouse_outbox_age{${of}})`, legend: 'oldest' }],
    },
    {
      title: 'Relays',
      about: 'One replica publishes: GatehouseNoRelay, GatehouseTwoRelays.',
      unit: 'short',
      queries: [
        { expr: `sum(gatehouse_relay_leader{${of}})`, legend: 'replicas that publish' },
        { expr: `max(gatehouse_outbox_depth{${of}})`, legend: 'events that wait' },
      ],
    },
  ]
  const process: readonly Panel[] = [
    {
      title: 'Processor',
      about: 'Cores that each replica takes.',
      unit: 'short',
      queries: [{ expr: `sum by (instance) (rate(process_cpu_time_total{${of}}[5m]))`, legend: '{{instance}}' }],
    },
    {
      title: 'Memory',
      about: 'Resident.',
      unit: 'bytes',
      queries: [{ expr: `max by (instance) (process_memory_usage{${of}})`, legend: '{{instance}}' }],
    },
    {
      title: 'Event loop',
      about: 'How late a replica comes to its work: GatehouseEventLoopSlow.',
      unit: 's',
      red: 0.25,
      queries: [{ expr: `max by (instance) (nodejs_eventloop_delay_p99{${of}})`, legend: '{{instance}}' }],
    },
    {
      title: 'Follows auth',
      about: 'Whether each replica is told of ended sessions and of who may do what.',
      unit: 'short',
      queries: [
        { expr: `min by (instance) (gatehouse_access_fresh{${of}})`, legend: 'access {{instance}}' },
        ...(service === 'auth'
          ? []
          : [{ expr: `min by (instance) (gatehouse_revocations_connected{${of}})`, legend: 'revocations {{instance}}' }]),
      ],
    },
    {
      title: 'Spans',
      about: 'Spans that left, and those that were lost; nothing where no collector is named.',
      unit: 'reqps',
      queries: [{ expr: `sum by (error_type) (rate(otel_sdk_processor_span_processed_total{${of}}[5m]))`, legend: '{{error_type}}' }],
    },
    { title: 'Replicas', about: 'That answer.', unit: 'short', queries: [{ expr: `sum(up{${of}})`, legend: 'up' }] },
  ]
  return {
    uid: `gatehouse-${service}`,
    title: `Gatehouse / ${service}`,
    about,
    rows: [
      { title: 'Doors', panels: calls },
      ...own,
      { title: 'What it asks of others', panels: asked },
      { title: 'Events', panels: events },
      { title: 'Process', panels: process },
    ],
  }
}
