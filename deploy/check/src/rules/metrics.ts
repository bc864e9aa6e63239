import { doors, pages } from '../doors.ts'
import type { Told } from '../finding.ts'
import { ofKind } from '../kinds.ts'
import { type House, nameOf, selects } from '../manifests.ts'
import { ownWorkloadsOf, portOf, selectedBy, settingOf } from '../pods.ts'

/** Whoever scrapes asks each pod of ours, at the port and path where it has its metrics. */
export function* metrics(house: House): Generator<Told> {
  for (const monitor of ofKind(house, 'PodMonitor')) {
    const pods = selectedBy(house, monitor, monitor.spec.selector)
    if (pods.length === 0) yield [nameOf(monitor), 'selects no pod']
    for (const { port, portNumber, path = pages.metrics } of monitor.spec.podMetricsEndpoints) {
      const asked = port ?? portNumber
      if (path !== pages.metrics) yield [nameOf(monitor), `asks for ${path}, which no program answers: it is ${pages.metrics}`]
      for (const { where, container } of pods) {
        const number = portOf(container, asked)
        if (number === undefined) yield [nameOf(monitor), `asks port ${asked}, which ${where} does not have`]
        else if (number !== Number(settingOf(container, doors.metrics)))
          yield [nameOf(monitor), `asks port ${asked} of ${where}, where no metrics are`]
      }
    }
    for (const { where, serves, labels } of ownWorkloadsOf(house))
      if (serves && !selects(monitor.spec.selector, labels)) yield [nameOf(monitor), `does not ask ${where}`]
  }
}
