import { filtersOf, routedServices } from '@gatehouse/kubernetes'
import type { Told } from '../finding.ts'
import { type Filter, ofKind } from '../kinds.ts'
import { type House, nameOf } from '../manifests.ts'

/** Routes take from calls and add to answers at least the headers that ours do: cookies reach auth alone, and browsers come by HTTPS ever after. */
export function* headers(house: House): Generator<Told> {
  for (const route of ofKind(house, 'HTTPRoute'))
    for (const { backendRefs = [], filters = [] } of route.spec.rules ?? [])
      for (const service of routedServices.filter((name) => backendRefs.some((each) => each.name === name))) {
        const [wanted, has] = [changedBy(filtersOf(service)), changedBy(filters)]
        for (const change of wanted) if (!has.includes(change)) yield [nameOf(route), `has a rule for ${service} that does not ${change}`]
      }
}

const changedBy = (filters: readonly Filter[]): readonly string[] =>
  filters.flatMap(({ requestHeaderModifier, responseHeaderModifier }) => [
    ...(requestHeaderModifier?.remove ?? []).map((name) => `take ${name.toLowerCase()} away`),
    ...(responseHeaderModifier?.set ?? []).map(({ name }) => `set ${name.toLowerCase()}`),
  ])
