/** Series by name and labels, each with its values as promtool reads them: one in each step. */
type Series = Readonly<Record<string, string>>

/** When an alert is to fire, and what comes so near to it that it must not. */
export interface AlertCase {
  readonly fires: Series
  readonly quiet: Series
  /** When both are looked at; twenty minutes on unless given. */
  readonly at?: string
  /** A minute unless given. */
  readonly step?: string
}

const replica = 'job="auth",instance="a"'
/** A value that stays. */
const stays = (name: string, value: number | string): Series => ({ [name]: `${value}x20` })
/** A gauge over its bound, and one at it. */
const over = (name: string, fires: number, quiet: number): AlertCase => ({ fires: stays(name, fires), quiet: stays(name, quiet) })
const suspicion = (kind: string, aMinute: number | string, quiet: number | string = 0): AlertCase => {
  const series = `gatehouse_suspicions_total{kind="${kind}"}`
  return { fires: { [series]: `0+${aMinute}x20` }, quiet: { [series]: `0+${quiet}x20` } }
}
const others = { 'gatehouse_relay_leader{service="user"}': '1x20', 'gatehouse_relay_leader{service="notification"}': '1x20' }
const up = { 'up{job="user",instance="u"}': '1x20', 'up{job="notification",instance="n"}': '1x20' }
const pool = (used: number): Series => ({
  [`db_client_connection_count{${replica},db_client_connection_state="used"}`]: `${used}x20`,
  [`db_client_connection_count{${replica},db_client_connection_state="idle"}`]: '9x20',
  [`db_client_connection_max{${replica}}`]: '10x20',
})
const coded = (code: string, aMinute: number): Series => ({
  [`rpc_server_call_duration_count{${replica},rpc_response_status_code="${code}"}`]: `0+${aMinute}x20`,
})

/** By the name of the alert; every one has its own. */
export const alertCases: Readonly<Record<string, AlertCase>> = {
  GatehouseDown: {
    fires: { ...up, 'up{job="auth",instance="a"}': '0x20', 'up{job="auth",instance="b"}': '0x20' },
    quiet: { ...up, 'up{job="auth",instance="a"}': '0x20', 'up{job="auth",instance="b"}': '1x20' },
  },
  GatehouseSpansLost: {
    fires: { 'otel_sdk_processor_span_processed_total{job="auth",error_type="queue_full"}': '0+1x20' },
    quiet: { 'otel_sdk_processor_span_processed_total{job="auth"}': '0+100x20' },
  },
  GatehouseOutboxOld: over('gatehouse_outbox_age{service="auth"}', 61, 60),
  GatehouseOutboxDeep: over('gatehouse_outbox_depth{service="auth"}', 10_000, 9999),
  GatehouseNoRelay: {
    fires: { ...others, 'gatehouse_relay_leader{service="auth",instance="a"}': '0x20' },
    quiet: {
      ...others,
      'gatehouse_relay_leader{service="auth",instance="a"}': '0x20',
      'gatehouse_relay_leader{service="auth",instance="b"}': '1x20',
    },
  },
  GatehouseTwoRelays: {
    fires: {
      'gatehouse_relay_leader{service="auth",instance="a"}': '1x20',
      'gatehouse_relay_leader{service="auth",instance="b"}': '1x20',
    },
    quiet: {
      'gatehouse_relay_leader{service="auth",instance="a"}': '1x20',
      'gatehouse_relay_leader{service="user",instance="b"}': '1x20',
    },
  },
  GatehouseConsumerBehind: over('gatehouse_consumer_lag{consumer="auth",source="user"}', 1001, 1000),
  GatehouseDeadLetters: over('gatehouse_dead_letters{consumer="auth"}', 1, 0),
  GatehousePoolSaturated: { fires: pool(9), quiet: pool(8) },
  GatehousePoolQueue: over(`db_client_connection_pending_requests{${replica}}`, 11, 10),
  GatehouseEventLoopSlow: over(`nodejs_eventloop_delay_p99{${replica}}`, 0.3, 0.25),
  GatehouseSheds: {
    fires: { 'gatehouse_shed_total{job="auth",what="hashes"}': '0+1x20' },
    quiet: stays('gatehouse_shed_total{job="auth",what="hashes"}', 7),
  },
  GatehouseCallsFail: { fires: coded('INTERNAL', 7), quiet: { ...coded('INTERNAL', 5), ...coded('PERMISSION_DENIED', 600) } },
  GatehouseUnavailable: { fires: coded('UNAVAILABLE', 70), quiet: coded('UNAVAILABLE', 50) },
  GatehouseRevocationsBlind: over(`gatehouse_revocations_connected{${replica}}`, 0, 1),
  GatehouseAccessBlind: over(`gatehouse_access_fresh{${replica}}`, 0, 1),
  GatehouseClockOff: over(`gatehouse_clock_offset{${replica}}`, -600, 0),
  GatehouseMailLate: over('gatehouse_mail_oldest', 301, 300),
  GatehouseMailGivenUp: {
    fires: { 'gatehouse_mail_tries_total{outcome="failed"}': '0x5 1x20' },
    quiet: { 'gatehouse_mail_tries_total{outcome="retried"}': '0+9x20' },
  },
  GatehouseKeysShut: over(`gatehouse_auth_keys_shut{${replica}}`, 1, 0),
  GatehouseAuditUnsealed: over('gatehouse_audit_unsealed_age', 301, 300),
  GatehouseNewPlaces: {
    // A day of one an hour, then two a minute; and ten a minute that are as usual.
    fires: { 'gatehouse_suspicions_total{kind="new_device"}': '0+0.16x144 24+20x6' },
    quiet: { 'gatehouse_suspicions_total{kind="new_device"}': '0+100x150' },
    at: '24h50m',
    step: '10m',
  },
  GatehouseImpossibleRate: suspicion('impossible_rate', 1),
  GatehousePasswordsGuessed: suspicion('password_guessed', 3, 0.5),
  GatehouseRefreshTokensReused: suspicion('refresh_token_reused', 1, 0.2),
  GatehouseManyAccounts: suspicion('many_accounts', 1),
  GatehouseSuspendedTried: suspicion('suspended_account_tried', 1, 0.4),
  GatehousePasskeysCloned: suspicion('passkey_cloned', 1),
  GatehouseSecondFactorsGuessed: suspicion('second_factor_guessed', 1),
  GatehouseLogoutsStuck: over('gatehouse_oidc_logouts_overdue', 601, 600),
}
