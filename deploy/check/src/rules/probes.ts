import { serviceVariables } from '@gatehouse/config'
import { doors, pages } from '../doors.ts'
import type { Told } from '../finding.ts'
import type { House } from '../manifests.ts'
import { type Container, ownWorkloadsOf, portOf, settingOf } from '../pods.ts'
import { declared } from '../services.ts'

/**
 * How long a probe may fail before something is done, in seconds. A start brings caches and waits for a busy machine; a pause of the collector or of Postgres
 * is no reason to kill; and whoever is not ready is out of the Services before callers give up.
 */
const patience = { startupProbe: [60, 600], livenessProbe: [30, 300], readinessProbe: [2, 30] } as const

/** Probes ask the port and the path that the program has for them, and alive is not the same question as ready. */
export function* probes(house: House): Generator<Told> {
  for (const { where, service, serves, container } of ownWorkloadsOf(house)) {
    if (!serves) continue
    yield* ports(where, service, container)
    const wanted = { startupProbe: pages.alive, livenessProbe: pages.alive, readinessProbe: pages.ready } as const
    for (const [name, path] of Object.entries(wanted) as [keyof typeof wanted, string][]) {
      const asked = container[name]?.httpGet
      if (!asked || (asked.scheme ?? 'HTTP') !== 'HTTP') yield [where, `has no ${name} over HTTP`]
      else if (asked.path !== path) yield [where, `its ${name} asks ${asked.path}, not ${path}`]
      else if (portOf(container, asked.port) !== Number(settingOf(container, doors.metrics)))
        yield [where, `its ${name} asks port ${asked.port}, where ${path} is not`]
      const { periodSeconds = 10, failureThreshold = 3 } = container[name] ?? {}
      const seconds = periodSeconds * failureThreshold
      const [least, most] = patience[name]
      if (asked && (seconds < least || seconds > most))
        yield [where, `its ${name} gives up after ${seconds} s, not from ${least} to ${most}`]
    }
  }
}

function* ports(where: string, service: string, container: Container): Generator<Told> {
  const table = declared[service]?.variables ?? {}
  for (const [name, variable] of Object.entries(doors)) {
    const set = settingOf(container, variable)
    const open = portOf(container, name)
    if (!(variable in table)) {
      if (open !== undefined) yield [where, `has a port ${name}, and ${service} no such door`]
    } else if (Number(set) !== open) yield [where, `its port ${name} is ${open}, and ${variable} ${set}`]
  }
}

/** Who is told to end has time for it: the pause in which nobody is sent any more, then what the program takes to drain. */
export function* grace(house: House): Generator<Told> {
  for (const { where, service, serves, pod, container } of ownWorkloadsOf(house)) {
    if (!serves) continue
    const pause = container.lifecycle?.preStop?.sleep?.seconds
    if (!pause) yield [where, 'has no preStop sleep: it is called while its address is still known']
    const { DRAIN_TIMEOUT: variable } = serviceVariables
    const drains = declared[service] && 'DRAIN_TIMEOUT' in declared[service].variables
    const set = settingOf(container, 'DRAIN_TIMEOUT')
    const drain = drains ? (set === undefined ? (variable.fallback?.value ?? 0) : variable.parse(set)) / 1000 : 0
    const given = pod.terminationGracePeriodSeconds ?? 30
    // What is in flight is answered, then events and mails are given back.
    if (given <= (pause ?? 0) + 2 * drain)
      yield [where, `is killed after ${given} s, within a pause of ${pause} s and twice a drain of ${drain} s`]
  }
}
