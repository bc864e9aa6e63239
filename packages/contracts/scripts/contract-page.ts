import { type DescMessage, type DescMethod, type DescService, getOption, hasOption } from '@bufbuild/protobuf'
import { isOpenToPeople, restRoutes } from '../../rpc/src/web/rest-routes.ts'
import { emits, event, Sensitivity, sensitivity } from '../src/gatehouse/options/v1/options_pb.ts'
import { describeAccess, describeIdempotency, describeLimits, describeReasons, describeStepUp, reasonsOf } from './describe-rpc.ts'
import type { Contracts } from './read-contracts.ts'

/** The contract as one page: every RPC, every event, every reason. */
export function contractPage(contracts: Contracts): string {
  const { services, messages, reasons } = contracts
  return [
    '<!-- Made from proto/ by `pnpm generate`. -->',
    '# The contract',
    'What the services promise, read from `proto/gatehouse`. The services read the same options at start and obey them.',
    `[RPCs](#rpcs) · [Events](#events) · [Reasons](#reasons) · [Personal and secret fields](#personal-and-secret-fields)`,
    '## RPCs',
    'The gRPC door serves every RPC. The web door serves those that are open to people, with POST on `/<service>/<RPC>` (Connect, gRPC-Web) and on the REST path where one is named. Beside the reasons that are listed, every RPC can answer [those of every RPC](#gatehouse).',
    ...services.flatMap((service) => [
      `### ${service.typeName}`,
      contracts.comment(service),
      ...service.methods.map((rpc) => rpcSection(rpc, contracts)),
    ]),
    '## Events',
    'The body is the message in protobuf, the subject is followed by `.<tenant>`. Events of one key arrive in the order of their versions.',
    ...messages.filter((message) => hasOption(message, event)).map((message) => eventSection(message, services, contracts)),
    '## Reasons',
    'They travel as `google.rpc.ErrorInfo{reason, domain, metadata}`.',
    ...reasons.flatMap((each) => {
      const described = describeReasons(each, contracts)
      const rows = described.map(
        ({ name, code, status, sentence, comment }) => `| \`${name}\` | \`${code}\` | ${status} | ${sentence} | ${comment} |`,
      )
      return [`### ${described[0]?.domain ?? each.typeName}`, table('| reason | code | HTTP | sentence | when |', rows)]
    }),
    '## Personal and secret fields',
    'Redacted in logs, traces and errors, and in no event. A request with one of them never stands in a URL.',
    table('| message | personal | secret |', messages.flatMap(sensitiveRow)),
    '',
  ].join('\n\n')
}

function rpcSection(rpc: DescMethod, contracts: Contracts): string {
  const own = reasonsOf(rpc, contracts)
  const limits = describeLimits(rpc)
  const route = restRoutes(rpc.parent).find((each) => each.rpc === rpc)
  const rest = route ? `; \`${route.method} ${route.path}\`${route.status === 200 ? '' : ` answers ${route.status}`}` : ''
  const web = isOpenToPeople(rpc) ? `gRPC and web${rest}` : 'gRPC'
  const events = getOption(rpc, emits).map((name) => `[${name}](#${anchor(name)})`)
  const lines = [
    `- **Access:** ${describeAccess(rpc).join('; ')}`,
    ...(describeStepUp(rpc) === '' ? [] : [`- **Step-up:** ${describeStepUp(rpc)}`]),
    `- **Doors:** ${web}`,
    `- **Repeating:** ${describeIdempotency(rpc)}`,
    ...(limits.length > 0 ? [`- **Limits:** ${limits.join('; ')}`] : []),
    ...(own.length > 0 ? [`- **Refuses with:** ${own.map(({ name, code }) => `\`${name}\` (\`${code}\`)`).join(', ')}`] : []),
    ...(events.length > 0 ? [`- **Events:** ${events.join(', ')}`] : []),
  ]
  const stream = rpc.methodKind === 'server_streaming' ? ' (stream)' : ''
  return `#### ${rpc.name}${stream}\n\n${contracts.comment(rpc)}\n\n${lines.join('\n')}`
}

function eventSection(message: DescMessage, services: readonly DescService[], contracts: Contracts): string {
  const { subject, key } = getOption(message, event)
  const causes = services.flatMap((service) => service.methods).filter((rpc) => getOption(rpc, emits).includes(message.typeName))
  const fields = message.fields.map((field) => `| \`${field.name}\` | ${contracts.comment(field)} |`)
  const from = causes.length > 0 ? ` Follows from ${causes.map((rpc) => `\`${rpc.parent.name}.${rpc.name}\``).join(', ')}.` : ''
  return [
    `### ${message.typeName}`,
    contracts.comment(message),
    `Subject \`${subject}\`, key \`${key}\`.${from}`,
    table('| field | what it is |', fields),
  ].join('\n\n')
}

function sensitiveRow(message: DescMessage): string[] {
  const named = (level: Sensitivity) =>
    message.fields.filter((field) => getOption(field, sensitivity) === level).map((field) => `\`${field.name}\``)
  const personal = named(Sensitivity.PERSONAL)
  const secret = named(Sensitivity.SECRET)
  return personal.length + secret.length === 0 ? [] : [`| \`${message.typeName}\` | ${personal.join(', ')} | ${secret.join(', ')} |`]
}

function table(head: string, rows: readonly string[]): string {
  return [head, head.replace(/[^|]+/g, ' --- '), ...rows].join('\n')
}

// As GitHub makes them from headings.
function anchor(heading: string): string {
  return heading.toLowerCase().replaceAll('.', '')
}
