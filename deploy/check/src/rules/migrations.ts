import type { Told } from '../finding.ts'
import { type House, nameOf } from '../manifests.ts'
import { migratedBy, ownWorkloadsOf } from '../pods.ts'
import { declared } from '../services.ts'

const version = 'app.kubernetes.io/version'

/** Each release of a service with a database brings the Job that migrates it, under the release's own name: a Job cannot be changed. */
export function* migrations(house: House): Generator<Told> {
  const own = ownWorkloadsOf(house)
  for (const { where, service, serves, labels } of own) {
    if (!serves || !('DATABASE_URL' in (declared[service]?.variables ?? {}))) continue
    const jobs = own.filter((each) => migratedBy(each) === service)
    const current = jobs.filter((each) => each.service === service && each.labels[version] === labels[version])
    if (current.length !== 1) yield [where, `waits for its schema, and ${current.length} Jobs migrate ${service} to ${labels[version]}`]
    for (const { manifest } of current)
      if (!manifest.metadata.name.endsWith(`-${labels[version]}`))
        yield [nameOf(manifest), `is not called after its release ${labels[version]}: the one before has its name, and cannot be changed`]
  }
}
