import { randomBytes } from 'node:crypto'
import { ConfigError, migrationVariables, type Table } from '@gatehouse/config'
import type { Told } from '../finding.ts'
import { ofKind } from '../kinds.ts'
import type { House } from '../manifests.ts'
import { type Container, ownWorkloadsOf } from '../pods.ts'
import { type Declared, declared, isRequired, ofTheRuntime } from '../services.ts'

const strong = randomBytes(32)
/** What may stand in a file that the cluster holds and we do not: one of these is a value that its variable takes. */
const samples = [
  strong.toString('base64'),
  `postgres://service:${strong.toString('hex')}@db.example.com/gatehouse?sslmode=verify-full`,
  `tls://service:${strong.toString('hex')}@nats.example.com:4222`,
  strong.toString('hex'),
]

/** A manifest sets what the program knows, all that it needs, and the program itself would start with it. */
export function* environment(house: House): Generator<Told> {
  for (const { where, service, serves, container } of ownWorkloadsOf(house)) {
    const program = declared[service]
    if (!program) {
      yield [where, `runs ${service}, whose variables are not known`]
      continue
    }
    if (container.envFrom?.length) yield [where, 'takes its environment from elsewhere, where it cannot be checked']
    const names = (container.env ?? []).map(({ name }) => name)
    for (const name of names) {
      if (names.filter((each) => each === name).length > 1) yield [where, `sets ${name} twice`]
      if (!isKnown(serves ? program.variables : { ...program.variables, ...migrationVariables }, name))
        yield [where, `sets ${name}, which ${service} does not read`]
    }
    for (const name of Object.keys(program.variables))
      if (serves && isRequired(program.variables, name) && !names.includes(name) && !names.includes(`${name}_FILE`))
        yield [where, `does not set ${name}, which ${service} needs`]
    if (serves) yield* refusals(where, program, container)
  }
}

const isKnown = (variables: Table, name: string): boolean =>
  name in variables || ofTheRuntime.has(name) || (name.endsWith('_FILE') && name.slice(0, -'_FILE'.length) in variables)

function* refusals(where: string, { variables, read }: Declared, container: Container): Generator<Told> {
  const env: Record<string, string> = {}
  for (const { name, value } of container.env ?? []) {
    const inFile = name.endsWith('_FILE') && !(name in variables) ? name.slice(0, -'_FILE'.length) : undefined
    const variable = inFile === undefined ? undefined : variables[inFile]
    if (inFile === undefined) env[name] = value ?? ''
    else if (variable) env[inFile] = samples.find((sample) => takes(variable.parse, inFile, sample)) ?? ''
  }
  // Two keys have to be two keys.
  for (const [at, [name, value]] of Object.entries(env).entries())
    if (value === samples[0]) env[name] = Buffer.from(strong.map((byte) => byte ^ (at + 1))).toString('base64')
  try {
    read(env)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    // What is missing is told by name already.
    const told = Object.entries(variables).map(([name, { about }]) => `${name} is missing: ${about}`)
    for (const problem of error.problems) if (!told.includes(problem)) yield [where, `would not start: ${problem}`]
  }
}

function takes(parse: (text: string) => unknown, name: string, sample: string): boolean {
  // A password may be anything, a URL among it: only variables that say so hold URLs.
  if (sample.includes('://') && !name.endsWith('_URL')) return false
  try {
    parse(sample)
    return true
  } catch {
    return false
  }
}

/** Files that variables name are mounted; and every mount is there for one of them. */
export function* files(house: House): Generator<Told> {
  const configMaps = new Map(ofKind(house, 'ConfigMap').map(({ metadata, data }) => [metadata.name, Object.keys(data ?? {})]))
  for (const { where, pod, container } of ownWorkloadsOf(house)) {
    const mounts = container.volumeMounts ?? []
    const paths = (container.env ?? []).filter(({ value }) => value?.startsWith('/')).map(({ name, value = '' }) => ({ name, value }))
    for (const { name, value } of paths) {
      const mount = mounts.find(({ mountPath }) => value.startsWith(`${mountPath}/`))
      const volume = pod.volumes?.find((each) => each.name === mount?.name)
      if (!mount || !volume) {
        yield [where, `${name} is ${value}, where nothing is mounted`]
        continue
      }
      const held = configMaps.get(volume.configMap?.name ?? '')
      const file = value.slice(mount.mountPath.length + 1)
      if (held && !held.includes(file)) yield [where, `${name} is ${value}, and ConfigMap ${volume.configMap?.name} has no ${file}`]
    }
    for (const { mountPath, readOnly, subPath } of mounts) {
      if (subPath !== undefined) yield [where, `mounts ${subPath} alone at ${mountPath}: it stays as it is when its Secret changes`]
      if (!readOnly) yield [where, `mounts ${mountPath} to write to`]
      if (!paths.some(({ value }) => value.startsWith(`${mountPath}/`)))
        yield [where, `mounts ${mountPath}, which no variable names a file of`]
    }
    for (const { name } of pod.volumes ?? [])
      if (!mounts.some((mount) => mount.name === name)) yield [where, `has a volume ${name} that it does not mount`]
  }
}
