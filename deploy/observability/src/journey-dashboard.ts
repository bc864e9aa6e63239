import type { Dashboard, Panel } from './dashboard.ts'
import { objectives } from './objectives.ts'
import { quantile } from './service-dashboard.ts'

const called = (title: string, method: string, about: string): Panel => ({
  title,
  about,
  unit: 'reqps',
  width: 6,
  queries: [
    {
      expr: `sum by (rpc_response_status_code) (rate(rpc_server_call_duration_count{rpc_method="${method}"}[5m]))`,
      legend: '{{rpc_response_status_code}}',
    },
  ],
})

const auth = 'gatehouse.auth.v1'

/** From an empty page to a session, across the three services, with what was promised of it. */
export const journeyDashboard: Dashboard = {
  uid: 'gatehouse-journey',
  title: 'Gatehouse / The journey',
  about:
    'A sign-up from the browser to the mail server and back, across the three services, and what is left of what was promised. Start here.',
  rows: [
    {
      title: 'What was promised, over thirty days',
      panels: objectives.map(({ slo, target, says }) => ({
        title: `${slo.replace('_', ' ')}: ${target * 100} %`,
        about: `${says.replace(/\{\{.*?\}\}/g, 'a service')}: how many times as fast as allowed, over an hour and over three days. At 14.4 somebody is called.`,
        unit: 'short',
        width: 6,
        red: 14.4,
        queries: ['1h', '3d'].map((window) => ({
          expr: `gatehouse:slo_bad:ratio_rate${window}{slo="${slo}"} / on (slo) group_left max by (slo) (gatehouse:slo_allowed:ratio{slo="${slo}"})`,
          legend: `{{job}}{{consumer}} ${window}`,
        })),
      })),
    },
    {
      title: 'People',
      panels: [
        called('Sign-ups', `${auth}.AccountService/SignUp`, 'Each leads to a mail.'),
        called('Mailboxes proven', `${auth}.AccountService/VerifyEmail`, 'By code or link. UNAVAILABLE here is the user service.'),
        called('Sign-ins', `${auth}.SessionService/SignIn`, 'UNAUTHENTICATED in a crowd is somebody guessing.'),
        called('Refreshes', `${auth}.SessionService/RefreshSession`, 'As many as people are there.'),
      ],
    },
    {
      title: 'The way of a mail',
      panels: [
        {
          title: '1. Asking auth',
          about: 'p95 of SignUp.',
          unit: 's',
          width: 6,
          queries: [{ expr: quantile(0.95, `rpc_server_call_duration_bucket{rpc_method="${auth}.AccountService/SignUp"}`), legend: 'p95' }],
        },
        {
          title: '2. Outbox',
          about: 'How long the oldest event of each service waits.',
          unit: 's',
          width: 6,
          red: 60,
          queries: [{ expr: 'max by (service) (gatehouse_outbox_age)', legend: '{{service}}' }],
        },
        {
          title: '3. Broker and consumer',
          about: 'From the fact to its effect, and events that wait.',
          unit: 's',
          width: 6,
          queries: [{ expr: quantile(0.95, 'gatehouse_events_delay_bucket', 'consumer'), legend: 'p95 {{consumer}}' }],
        },
        {
          title: '4. Mail server',
          about: 'From due to sent, of mails that somebody waits for.',
          unit: 's',
          width: 6,
          red: 30,
          queries: [{ expr: quantile(0.95, 'gatehouse_mail_delay_bucket{urgent="true"}'), legend: 'p95' }],
        },
      ],
    },
    {
      title: 'What is stuck',
      panels: [
        {
          title: 'Events to handle',
          about: 'GatehouseConsumerBehind.',
          unit: 'short',
          width: 6,
          red: 1000,
          queries: [{ expr: 'max by (consumer, source) (gatehouse_consumer_lag)', legend: '{{consumer}} of {{source}}' }],
        },
        {
          title: 'Dead letters',
          about: 'GatehouseDeadLetters.',
          unit: 'short',
          width: 6,
          red: 1,
          kind: 'stat',
          queries: [{ expr: 'max by (consumer) (gatehouse_dead_letters)', legend: '{{consumer}}' }],
        },
        {
          title: 'Mails overdue',
          about: 'GatehouseMailLate.',
          unit: 'short',
          width: 6,
          kind: 'stat',
          queries: [{ expr: 'max(gatehouse_mail_due)', legend: 'due' }],
        },
        {
          title: 'Faults',
          about: 'Calls of each service that ended with a fault.',
          unit: 'reqps',
          width: 6,
          queries: [{ expr: 'sum by (job) (rate(rpc_server_call_duration_count{error_type!=""}[5m]))', legend: '{{job}}' }],
        },
      ],
    },
  ],
}
