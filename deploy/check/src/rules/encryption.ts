import type { Told } from '../finding.ts'
import { ofKind } from '../kinds.ts'
import { type House, isForProduction, nameOf } from '../manifests.ts'
import { selectedBy, settingOf, type Workload } from '../pods.ts'

/** Listeners that are to speak TLS have a certificate, calls come by them, and the gateway asks a gRPC door for a name that its certificate has. */
export function* encryption(house: House): Generator<Told> {
  yield* atTheGateway(house)
  yield* behindIt(house)
}

function* atTheGateway(house: House): Generator<Told> {
  for (const gateway of ofKind(house, 'Gateway'))
    for (const { name, protocol, tls, allowedRoutes } of gateway.spec.listeners) {
      if (allowedRoutes?.namespaces?.from === 'All')
        yield [nameOf(gateway), `its listener ${name} takes routes of everybody's: they could have our paths`]
      if ((protocol === 'HTTPS' || protocol === 'TLS') && tls?.mode !== 'Passthrough' && !tls?.certificateRefs?.length)
        yield [nameOf(gateway), `its listener ${name} is ${protocol}, and has no certificate`]
      if (protocol !== 'HTTP' || !isForProduction(house)) continue
      for (const route of [...ofKind(house, 'HTTPRoute'), ...ofKind(house, 'GRPCRoute')]) {
        const hangs = route.spec.parentRefs?.some(
          (parent) => parent.name === gateway.metadata.name && (parent.sectionName ?? name) === name,
        )
        if (hangs && route.spec.rules?.some(({ backendRefs = [] }) => backendRefs.length > 0))
          yield [nameOf(route), `is called in plaintext, by the listener ${name}`]
      }
    }
}

function* behindIt(house: House): Generator<Told> {
  const services = ofKind(house, 'Service')
  const policies = ofKind(house, 'BackendTLSPolicy')
  const speaksTls = ({ container }: Workload): boolean => settingOf(container, 'GRPC_TLS_CERT_FILE') !== undefined
  for (const policy of policies)
    for (const { name, sectionName } of policy.spec.targetRefs) {
      const service = services.find(({ metadata, spec }) => metadata.name === name && spec.ports.some((port) => port.name === sectionName))
      const [pod] = service ? selectedBy(house, service, service.spec.selector) : []
      const { hostname, caCertificateRefs = [] } = policy.spec.validation
      for (const authority of caCertificateRefs)
        if (pod && !pod.pod.volumes?.some(({ configMap }) => configMap?.name === authority.name))
          yield [nameOf(policy), `trusts ${authority.name}, which the pods themselves do not`]
      if (!pod) yield [nameOf(policy), `is about ${sectionName} of ${name}, which does not exist`]
      else if (!speaksTls(pod)) yield [nameOf(policy), `asks ${name} for TLS, which it does not speak`]
      else if (!namesOf(house, pod).includes(hostname))
        yield [nameOf(policy), `asks for ${hostname}, which no certificate of ${name} says: ${namesOf(house, pod).join(', ')}`]
    }
  for (const route of ofKind(house, 'GRPCRoute'))
    for (const { name } of (route.spec.rules ?? []).flatMap(({ backendRefs = [] }) => backendRefs)) {
      const service = services.find(({ metadata }) => metadata.name === name)
      const encrypted = service && selectedBy(house, service, service.spec.selector).some(speaksTls)
      if (encrypted && !policies.some(({ spec }) => spec.targetRefs.some((target) => target.name === name)))
        yield [nameOf(route), `leads to ${name}, which speaks TLS, and no BackendTLSPolicy says so`]
    }
}

/** The names in the certificate of a pod: those that the house asks cert-manager for, or else all by which its Services are called. */
function namesOf(house: House, pod: Workload): readonly string[] {
  const secrets = (pod.pod.volumes ?? []).map(({ secret }) => secret?.secretName)
  const asked = ofKind(house, 'Certificate').filter(
    ({ metadata, spec }) => metadata.namespace === pod.namespace && secrets.includes(spec.secretName),
  )
  if (asked.length > 0) return asked.flatMap(({ spec }) => spec.dnsNames ?? [])
  return ofKind(house, 'Service')
    .filter((service) => selectedBy(house, service, service.spec.selector).some(({ manifest }) => manifest === pod.manifest))
    .flatMap(({ metadata: { name, namespace } }) => [name, `${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`])
}
