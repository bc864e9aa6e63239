import type { AlertCase } from './alert-cases.ts'
import { type Objective, objectives } from './objectives.ts'

/** Series of `count` values, of which `bad` of 10,000 in each step are bad. */
function series({ slo }: Objective, bad: number, count: number): Readonly<Record<string, string>> {
  const counting = (each: number) => `0+${each}x${count}`
  const [always, good] = [counting(10_000), counting(10_000 - bad)]
  switch (slo) {
    case 'calls_available':
      return {
        'rpc_server_call_duration_count{job="auth",rpc_response_status_code="OK"}': good,
        'rpc_server_call_duration_count{job="auth",rpc_response_status_code="INTERNAL",error_type="INTERNAL"}': counting(bad),
      }
    case 'calls_fast':
      return {
        'rpc_server_call_duration_count{job="auth",rpc_method="gatehouse.user.v1.UserService/GetUser"}': always,
        'rpc_server_call_duration_bucket{job="auth",rpc_method="gatehouse.user.v1.UserService/GetUser",le="0.25"}': good,
        // However long somebody listens.
        'rpc_server_call_duration_count{job="auth",rpc_method="gatehouse.user.v1.UserService/WatchUsers"}': always,
        'rpc_server_call_duration_bucket{job="auth",rpc_method="gatehouse.user.v1.UserService/WatchUsers",le="0.25"}': '0x99999',
      }
    case 'events_prompt':
      return { 'gatehouse_events_delay_count{consumer="auth"}': always, 'gatehouse_events_delay_bucket{consumer="auth",le="5.0"}': good }
    default:
      return {
        'gatehouse_mail_delay_count{job="notification",urgent="true"}': always,
        'gatehouse_mail_delay_bucket{job="notification",urgent="true",le="30.0"}': good,
        'gatehouse_mail_delay_count{job="notification",urgent="false"}': always,
        'gatehouse_mail_delay_bucket{job="notification",urgent="false",le="30.0"}': '0x99999',
      }
  }
}

/** In 10,000, the share that `times` the allowed pace is. */
const pace = ({ target }: Objective, times: number): number => Math.round(times * (1 - target) * 10_000)

/** Twenty times the allowed pace for an hour and a half, and four times. */
export const fastCases: Readonly<Record<string, AlertCase>> = Object.fromEntries(
  objectives.map((objective) => [
    `${objective.alert}BurnsFast`,
    { fires: series(objective, pace(objective, 20), 90), quiet: series(objective, pace(objective, 4), 90), at: '80m' },
  ]),
)

/** One and a half times the allowed pace for four days, and half of it: a value each half hour, which is enough for windows of two hours and longer. */
export const slowCases: Readonly<Record<string, AlertCase>> = Object.fromEntries(
  objectives.map((objective) => [
    `${objective.alert}Burns`,
    { fires: series(objective, pace(objective, 1.5), 192), quiet: series(objective, pace(objective, 0.5), 192), at: '95h', step: '30m' },
  ]),
)
