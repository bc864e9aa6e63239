import { isIP } from 'node:net'
import type { ComposeFile, Container } from './compose-file.ts'

/** Keys of the Compose Specification that stand in our file: another is a mistake, or has its line here. */
const keys = new Set(
  'image command environment secrets volumes ports networks depends_on healthcheck restart read_only cap_drop cap_add security_opt mem_limit shm_size stop_grace_period stop_signal'.split(
    ' ',
  ),
)
const healthKeys = new Set('test interval timeout retries start_period start_interval'.split(' '))
const conditions = /^service_(started|healthy|completed_successfully)$/
const duration = /^\d+(ms|s|m)$/

/** What is wrong with a file, whatever runs in it: names that lead nowhere, versions that float, rights that nobody needs. */
export function composeProblems(file: ComposeFile): readonly string[] {
  const top = Object.keys(file).filter((key) => !/^(name|services|networks|volumes|secrets|x-.*)$/.test(key))
  const used = new Set(
    Object.values(file.services).flatMap(({ secrets = [] }) => secrets.map((each) => (typeof each === 'string' ? each : each.source))),
  )
  return [
    ...top.map((key) => `${key} is no part of the file`),
    ...Object.entries(file.services).flatMap(([name, container]) =>
      containerProblems(file, container).map((problem) => `${name}: ${problem}`),
    ),
    ...Object.keys(file.secrets)
      .filter((secret) => !used.has(secret))
      .map((secret) => `nobody reads the secret ${secret}`),
  ]
}

function containerProblems(file: ComposeFile, container: Container): readonly string[] {
  const { image, healthcheck, environment = {}, networks = [], depends_on: needs = {}, ports = [], volumes = [], secrets = [] } = container
  const isOnce = container.restart === 'on-failure'
  const names = Array.isArray(networks) ? networks : Object.keys(networks)
  const addresses = Array.isArray(networks) ? [] : Object.values(networks).map(({ ipv4_address: address = '' }) => address)
  return [
    ...Object.keys(container)
      .filter((key) => !keys.has(key))
      .map((key) => `${key} is none of its keys`),
    ...(/^[a-z0-9.-]+\.[a-z]+\/[\w./-]+:\d[\w.-]*(@sha256:[0-9a-f]{64})?$/.test(image) ? [] : [`${image} is no version of an image`]),
    ...names.filter((each) => !(each in file.networks)).map((each) => `there is no network ${each}`),
    ...(names.length === 1 ? [] : ['it is in no network, or in several']),
    ...addresses
      .filter((each) => isIP(each) === 0 || !subnetsOf(file).some((subnet) => isIn(each, subnet)))
      .map((each) => `${each} is no address of its network`),
    ...Object.entries(needs)
      .filter(([need, { condition }]) => !conditions.test(condition) || !isMet(file.services[need], condition))
      .map(([need, { condition }]) => `it waits for ${need} to be ${condition}, which never comes`),
    ...volumes
      .map((each) => each.split(':')[0] ?? '')
      .filter((source) => !source.startsWith('./') && !(source in file.volumes))
      .map((source) => `there is no volume ${source}`),
    ...secrets
      .map((each) => (typeof each === 'string' ? each : each.source))
      .filter((source) => !(source in file.secrets))
      .map((source) => `there is no secret ${source}`),
    ...ports.filter((port) => !/^(80:80|443:443(\/udp)?)$/.test(port)).map((port) => `${port} is open to everybody`),
    ...(container.mem_limit === undefined ? ['it may take all memory'] : []),
    ...(container.security_opt?.includes('no-new-privileges:true') ? [] : ['it may gain privileges']),
    ...(container.stop_grace_period === undefined || duration.test(container.stop_grace_period)
      ? []
      : ['its stop_grace_period is no duration']),
    ...(isOnce || image.includes('/caddy:') || healthcheck ? [] : ['nobody asks whether it is well']),
    ...Object.keys(healthcheck ?? {})
      .filter((key) => !healthKeys.has(key))
      .map((key) => `its healthcheck has no ${key}`),
    ...(healthcheck === undefined || healthcheck.test[0] === 'CMD' ? [] : ['its healthcheck asks for a shell']),
    ...Object.entries(environment)
      .filter(([name, value]) => typeof value !== 'string' && typeof value !== 'number' && name !== '')
      .map(([name]) => `${name} has no value`),
  ]
}

const subnetsOf = (file: ComposeFile): readonly string[] =>
  Object.values(file.networks).flatMap(({ ipam }) => ipam?.config.map(({ subnet }) => subnet) ?? [])

/** Good enough for the ranges that end at a dot. */
const isIn = (address: string, subnet: string): boolean => subnet.endsWith('.0/24') && address.startsWith(subnet.slice(0, -'0/24'.length))

function isMet(needed: Container | undefined, condition: string): boolean {
  if (needed === undefined) return false
  if (condition === 'service_healthy') return needed.healthcheck !== undefined
  return condition !== 'service_completed_successfully' || needed.restart === 'on-failure'
}

/** What is wrong with the containers that run our images: each of them is to hold as little as it can. */
export function hardeningProblems(file: ComposeFile): readonly string[] {
  return Object.entries(file.services)
    .filter(([, { image }]) => image.startsWith('ghcr.io/gatehouse/'))
    .flatMap(([name, { read_only: readOnly, cap_drop: dropped = [], cap_add: added = [], volumes = [] }]) => [
      ...(readOnly ? [] : [`${name}: its root can be written`]),
      ...(dropped.includes('ALL') && added.length === 0 ? [] : [`${name}: it keeps capabilities`]),
      ...volumes.map((volume) => `${name}: ${volume} is nothing that it needs`),
    ])
}
