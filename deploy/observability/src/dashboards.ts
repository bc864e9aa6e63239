import type { Dashboard } from './dashboard.ts'
import { journeyDashboard } from './journey-dashboard.ts'
import { quantile, serviceDashboard } from './service-dashboard.ts'

const rate = (metric: string, by: string, labels = ''): string => `sum by (${by}) (rate(${metric}{${labels}}[5m]))`.replace('{}', '')

/** By the name of their file. */
export const dashboards: Readonly<Record<string, Dashboard>> = {
  journey: journeyDashboard,
  user: serviceDashboard('user', 'Who exists: calls, events and process of the user service.', []),
  auth: serviceDashboard(
    'auth',
    'Who is at the door: sign-ins, suspicions, OpenID Connect, keys and audit log beside calls, events and process.',
    [
      {
        title: 'Sign-in',
        panels: [
          {
            title: 'Sign-ins',
            about: 'By outcome.',
            unit: 'reqps',
            queries: [
              {
                expr: rate('rpc_server_call_duration_count', 'rpc_response_status_code', 'job="auth",rpc_method=~".*/SignIn"'),
                legend: '{{rpc_response_status_code}}',
              },
            ],
          },
          {
            title: 'Suspicious activity',
            about: 'By kind; each has its alert.',
            unit: 'short',
            queries: [{ expr: 'sum by (kind) (increase(gatehouse_suspicions_total[1h]))', legend: '{{kind}}' }],
          },
          {
            title: 'Keys that do not open',
            about: 'GatehouseKeysShut.',
            unit: 'short',
            red: 1,
            queries: [{ expr: 'max by (instance) (gatehouse_auth_keys_shut)', legend: '{{instance}}' }],
          },
        ],
      },
      {
        title: 'OpenID Connect and audit log',
        panels: [
          {
            title: 'Grants',
            about: 'Tokens that were given, by kind of grant.',
            unit: 'reqps',
            queries: [
              { expr: 'sum(rate(gatehouse_oidc_grants_total[5m]))', legend: 'granted' },
              { expr: rate('gatehouse_oidc_refusals_total', 'error'), legend: '{{error}}' },
            ],
          },
          {
            title: 'Log-outs that clients have not been told',
            about: 'GatehouseLogoutsStuck.',
            unit: 's',
            red: 600,
            queries: [{ expr: 'max(gatehouse_oidc_logouts_overdue)', legend: 'overdue for' }],
          },
          {
            title: 'Audit log',
            about: 'Age of the oldest entry without its seal: GatehouseAuditUnsealed.',
            unit: 's',
            red: 300,
            queries: [{ expr: 'max(gatehouse_audit_unsealed_age)', legend: 'unsealed' }],
          },
          {
            title: 'Requests that are no RPC',
            about: 'By route: OpenID Connect, keys, webhooks.',
            unit: 'reqps',
            width: 12,
            queries: [{ expr: rate('http_server_request_duration_count', 'http_route', 'job="auth"'), legend: '{{http_route}}' }],
          },
          {
            title: 'Time of those',
            about: 'p95.',
            unit: 's',
            width: 12,
            queries: [{ expr: quantile(0.95, 'http_server_request_duration_bucket{job="auth"}', 'http_route'), legend: '{{http_route}}' }],
          },
        ],
      },
    ],
  ),
  notification: serviceDashboard('notification', 'What people are told: mails and inboxes beside calls, events and process.', [
    {
      title: 'Mail',
      panels: [
        {
          title: 'Tries',
          about: 'By outcome: retried is the mail server, postponed a peer, failed was given up.',
          unit: 'reqps',
          queries: [{ expr: rate('gatehouse_mail_tries_total', 'outcome'), legend: '{{outcome}}' }],
        },
        {
          title: 'From due to sent',
          about: 'Of mails that somebody waits for, and of others.',
          unit: 's',
          queries: [0.5, 0.99].map((share) => ({
            expr: quantile(share, 'gatehouse_mail_delay_bucket', 'urgent'),
            legend: `p${share * 100} urgent={{urgent}}`,
          })),
        },
        {
          title: 'Overdue',
          about: 'GatehouseMailLate.',
          unit: 's',
          red: 300,
          queries: [{ expr: 'max(gatehouse_mail_oldest)', legend: 'oldest' }],
        },
      ],
    },
  ]),
}
