import type { Told } from '../finding.ts'
import { ofKind } from '../kinds.ts'
import { type House, nameOf } from '../manifests.ts'
import { workloadsOf } from '../pods.ts'
import { declared } from '../services.ts'

const looksSecret = /-----BEGIN [A-Z ]*PRIVATE KEY-----|:\/\/[^/\s:@]+:[^/\s@]+@|"d"\s*:\s*"/
const namedSecret = /(PASSWORD|SECRET|TOKEN|PRIVATE_KEY|API_KEY)$/

/** Secrets are files of Secrets that somebody else brings: never in the environment, a ConfigMap, or these files. */
export function* secrets(house: House): Generator<Told> {
  for (const { where, service, pod, container } of workloadsOf(house)) {
    const table = declared[service]?.variables ?? {}
    for (const { name, value = '', valueFrom } of container.env ?? []) {
      if (valueFrom && 'secretKeyRef' in valueFrom) yield [where, `${name} puts a Secret into the environment: ${name}_FILE names its file`]
      else if (looksSecret.test(value)) yield [where, `${name} holds a secret`]
      else if ((table[name]?.secret ?? namedSecret.test(name)) && !valueFrom)
        yield [where, `${name} is a secret, and is set for everybody to read`]
      const secretFile = name.endsWith('_FILE') && table[name.slice(0, -'_FILE'.length)]?.secret
      const mount = container.volumeMounts?.find(({ mountPath }) => value.startsWith(`${mountPath}/`))
      const volume = pod.volumes?.find((each) => each.name === mount?.name)
      if (secretFile && volume && !volume.secret) yield [where, `${name} is a file of ${volume.name}, which is no Secret`]
    }
    for (const { secret, name } of pod.volumes ?? [])
      if (secret && declared[service] && !secret.secretName.startsWith(`${service}-`))
        yield [where, `its volume ${name} is ${secret.secretName}, another's Secret`]
  }
  for (const map of ofKind(house, 'ConfigMap'))
    for (const [name, value] of Object.entries(map.data ?? {}))
      if (looksSecret.test(value) || namedSecret.test(name.toUpperCase().replaceAll('-', '_')))
        yield [nameOf(map), `${name} holds a secret, which a ConfigMap does not keep`]
  for (const secret of ofKind(house, 'Secret'))
    if (Object.keys({ ...secret.data, ...secret.stringData }).length > 0)
      yield [nameOf(secret), 'is a Secret with its values, in a file that is committed']
}
