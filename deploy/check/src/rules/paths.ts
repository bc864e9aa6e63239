import { duration } from '@gatehouse/config'
import { contractsOf, longestStreamSeconds, routedServices, sentTo, webPathsOf } from '@gatehouse/kubernetes'
import type { Told } from '../finding.ts'
import { type HttpRule, ofKind } from '../kinds.ts'
import { type House, nameOf } from '../manifests.ts'
import { ownWorkloadsOf, portOf, settingOf } from '../pods.ts'

const leadsTo = ({ backendRefs = [] }: Pick<HttpRule, 'backendRefs'>, service: string): boolean =>
  backendRefs.some(({ name }) => name === service)

/** All that a door serves, by the contracts, is led to it: each path of the web doors, each RPC service of a gRPC door; and streams may live as long as they do. */
export function* paths(house: House): Generator<Told> {
  yield* web(house)
  yield* grpc(house)
}

function* web(house: House): Generator<Told> {
  const routes = ofKind(house, 'HTTPRoute').filter(({ spec }) => spec.rules?.some(({ backendRefs = [] }) => backendRefs.length > 0))
  // Routes that hang on one listener are one table for the gateway.
  const tables = Map.groupBy(
    routes.flatMap(({ spec }) => (spec.parentRefs ?? []).map((parent) => ({ listener: JSON.stringify(parent), rules: spec.rules ?? [] }))),
    ({ listener }) => listener,
  )
  if (tables.size === 0) return
  const choices = [...tables.values()].map((parts) => parts.flatMap(({ rules }) => rules))
  for (const service of servingAt(house, 'web')) {
    const where = `HTTPRoute ${service}`
    yield* called(house, service)
    const { streams, rpc, rest, more } = webPathsOf(service)
    for (const { type, value } of [...streams, ...rpc, ...rest, ...more]) {
      const asked = type === 'Exact' ? value : `${value}/anything`
      const taken = choices.map((rules) => sentTo(asked, rules)).find((rule) => rule && leadsTo(rule, service))
      if (!taken) yield [where, `does not lead ${value} to ${service}, which serves it`]
      else if (streams.some((stream) => stream.value === value))
        for (const [name, limit] of Object.entries({ request: undefined, ...taken.timeouts }))
          yield* tooShort(where, value, `timeouts.${name}`, limit)
    }
  }
}

/** The origin of which a service makes links and cookies is one of those under which it is called. */
function* called(house: House, service: string): Generator<Told> {
  const hosts = ofKind(house, 'HTTPRoute').flatMap(({ spec }) =>
    spec.rules?.some((rule) => leadsTo(rule, service)) ? (spec.hostnames ?? []) : [],
  )
  for (const { where, service: name, serves, container } of ownWorkloadsOf(house)) {
    const origin = serves && name === service ? settingOf(container, 'PUBLIC_ORIGIN') : undefined
    const host = origin && URL.canParse(origin) ? new URL(origin).hostname : undefined
    if (host && hosts.length > 0 && !hosts.includes(host))
      yield [where, `its PUBLIC_ORIGIN is ${origin}, and the gateway has it at ${hosts.join(', ')}`]
  }
}

function* tooShort(where: string, path: string, name: string, limit: string | undefined): Generator<Told> {
  if (limit === undefined) yield [where, `says nothing of how long ${path} may take: gateways end it after some seconds`]
  // Nought is no limit.
  else if (secondsOf(limit) !== 0 && secondsOf(limit) <= longestStreamSeconds)
    yield [where, `ends ${path} after ${limit} (${name}), and it lives for up to ${longestStreamSeconds} s`]
}

function* grpc(house: House): Generator<Told> {
  const routes = ofKind(house, 'GRPCRoute')
  for (const service of servingAt(house, 'grpc')) {
    const rules = routes.flatMap(({ spec }) => spec.rules ?? []).filter((rule) => leadsTo(rule, service))
    // A gRPC door that nobody outside calls needs no route.
    if (rules.length === 0) continue
    const where = `GRPCRoute ${service}`
    // A match that names one method takes the rest of the service nowhere.
    const led = rules.flatMap(({ matches = [{}] }) => matches.flatMap(({ method = {} }) => (method.method ? [] : [method.service])))
    const served = contractsOf(service).map(({ typeName }) => typeName)
    if (!led.includes(undefined))
      for (const name of served) if (!led.includes(name)) yield [where, `does not lead to ${name}, which ${service} serves`]
    for (const name of led)
      if (name === undefined || !served.includes(name))
        yield [where, `leads to ${name ?? 'all that there is'}, which is not for callers outside`]
  }
  for (const policy of ofKind(house, 'BackendTrafficPolicy')) {
    if (!policy.spec.targetRefs?.some(({ kind }) => kind === 'GRPCRoute')) continue
    yield* tooShort(nameOf(policy), 'a stream', 'http.requestTimeout', policy.spec.timeout?.http?.requestTimeout)
  }
}

const servingAt = (house: House, door: string) =>
  routedServices.filter((name) =>
    ownWorkloadsOf(house).some(({ service, serves, container }) => serves && service === name && portOf(container, door) !== undefined),
  )

/** `370s` or `6m10s`, as the Gateway API writes it. */
const secondsOf = (text: string): number =>
  text.split(/(?<=[a-z])(?=\d)/).reduce((sum, part) => sum + duration({ about: '' }).parse(part) / 1000, 0)
