import type { Mistake } from './mistake.ts'

export const mistakesAtTheGateway: readonly Mistake[] = [
  {
    name: 'a route to a Service that does not exist',
    rule: 'routes',
    says: /leads to auth-web, which is no Service/,
    plant: (house) => house.set('HTTPRoute', 'auth', 'spec.rules.0.backendRefs.0.name', 'auth-web'),
  },
  {
    name: 'a route to a port that does not exist',
    rule: 'routes',
    says: /leads to port 80 of auth/,
    plant: (house) => house.set('HTTPRoute', 'auth', 'spec.rules.0.backendRefs.0.port', 80),
  },
  {
    name: 'a route of gRPC to the web door',
    rule: 'routes',
    says: /leads to web of auth, not to grpc/,
    plant: (house) => house.set('GRPCRoute', 'auth', 'spec.rules.0.backendRefs.0.port', 8080),
  },
  {
    name: 'a route at a listener that does not exist',
    rule: 'routes',
    says: /hangs on gatehouse\/https, which is no listener/,
    plant: (house) => house.set('HTTPRoute', 'user', 'spec.parentRefs.0.sectionName', 'https'),
  },
  {
    name: 'a route for another host than its listener',
    rule: 'routes',
    says: /is for www\.example\.com/,
    plant: (house) => house.set('HTTPRoute', 'user', 'spec.hostnames.0', 'www.example.com'),
  },
  {
    name: 'TLS towards a port that does not exist',
    rule: 'encryption',
    says: /is about https of auth/,
    plant: (house) => house.set('BackendTLSPolicy', 'auth-grpc', 'spec.targetRefs.0.sectionName', 'https'),
  },
  {
    name: 'a stream that the gateway ends before its time',
    rule: 'paths',
    says: /^HTTPRoute auth: ends \/gatehouse\.auth\.v1\.AuditService\/\w+ after 5s \(timeouts\.request\), and it lives for up to 360 s/,
    plant: (house) => house.set('HTTPRoute', 'auth', 'spec.rules.0.timeouts.request', '5s'),
  },
  {
    name: 'a stream that ends when the gateway has waited for the pod',
    rule: 'paths',
    says: /after 5m30s \(timeouts\.backendRequest\)/,
    plant: (house) => house.set('HTTPRoute', 'auth', 'spec.rules.0.timeouts.backendRequest', '5m30s'),
  },
  {
    name: 'a stream that lives as long as the gateway happens to let it',
    rule: 'paths',
    says: /says nothing of how long \/gatehouse\.auth\.v1\.AuditService/,
    plant: (house) => house.set('HTTPRoute', 'auth', 'spec.rules.0.timeouts', undefined),
  },
  {
    name: 'a stream without a rule of its own, in the time of an ordinary call',
    rule: 'paths',
    says: /ends \/gatehouse\.auth\.v1\.AuditService\/\w+ after 30s/,
    plant: (house) => house.set('HTTPRoute', 'auth', 'spec.rules.0', undefined),
  },
  {
    name: 'streams of gRPC that Envoy ends before their time',
    rule: 'paths',
    says: /^BackendTrafficPolicy grpc: ends a stream after 15s/,
    plant: (house) =>
      house.put({
        apiVersion: 'gateway.envoyproxy.io/v1alpha1',
        kind: 'BackendTrafficPolicy',
        metadata: { name: 'grpc', namespace: 'gatehouse' },
        spec: { targetRefs: [{ kind: 'GRPCRoute', name: 'auth' }], timeout: { http: { requestTimeout: '15s' } } },
      }),
  },
  {
    name: 'a path that a door serves and no route leads to it',
    rule: 'paths',
    says: /^HTTPRoute auth: does not lead \/oidc to auth, which serves it/,
    plant: (house) => house.set('HTTPRoute', 'auth', 'spec.rules.3.matches.1', undefined),
  },
  {
    name: "a path that another's route takes away",
    rule: 'paths',
    says: /^HTTPRoute auth: does not lead \/api\/sessions to auth/,
    plant: (house) =>
      house.set('HTTPRoute', 'console', 'spec.rules.0.matches', [
        { path: { type: 'PathPrefix', value: '/' } },
        { path: { type: 'PathPrefix', value: '/api/sessions/anything' } },
      ]),
  },
  {
    name: 'a service that no route leads to',
    rule: 'paths',
    says: /^HTTPRoute user: does not lead \/api\/users to user/,
    plant: (house) => house.drop('HTTPRoute', 'user'),
  },
  {
    name: 'an RPC service that a door serves and no route leads to it',
    rule: 'paths',
    says: /^GRPCRoute auth: does not lead to gatehouse\.auth\.v1\.AccessService, which auth serves/,
    plant: (house) => house.set('GRPCRoute', 'auth', 'spec.rules.0.matches.0', undefined),
  },
  {
    name: 'one RPC of a service in place of all',
    rule: 'paths',
    says: /does not lead to gatehouse\.auth\.v1\.AccessService/,
    plant: (house) => house.set('GRPCRoute', 'auth', 'spec.rules.0.matches.0.method.method', 'CheckAccess'),
  },
  {
    name: 'reflection for everybody',
    rule: 'paths',
    says: /^GRPCRoute auth: leads to grpc\.reflection\.v1\.ServerReflection, which is not for callers outside/,
    plant: (house) =>
      house.add('GRPCRoute', 'auth', 'spec.rules.0.matches', { method: { type: 'Exact', service: 'grpc.reflection.v1.ServerReflection' } }),
  },
  {
    name: 'an origin at which nobody is called',
    rule: 'paths',
    says: /^Deployment auth: its PUBLIC_ORIGIN is https:\/\/login\.example\.com/,
    plant: (house) => house.env('auth', 'PUBLIC_ORIGIN', 'https://login.example.com'),
  },
  {
    name: 'a listener of HTTPS without TLS',
    rule: 'encryption',
    says: /^Gateway gatehouse: its listener web is HTTPS, and has no certificate/,
    plant: (house) => house.set('Gateway', 'gatehouse', 'spec.listeners.1.tls', undefined),
  },
  {
    name: 'a service that is called in plaintext',
    rule: 'encryption',
    says: /^HTTPRoute auth: is called in plaintext, by the listener http/,
    plant: (house) => house.set('HTTPRoute', 'auth', 'spec.parentRefs.0.sectionName', 'http'),
  },
  {
    name: 'TLS towards a name that no certificate has',
    rule: 'encryption',
    says: /asks for other, which no certificate of auth says: auth, auth\.gatehouse\.svc/,
    plant: (house) => house.set('BackendTLSPolicy', 'auth-grpc', 'spec.validation.hostname', 'other'),
  },
  {
    name: 'a certificate that is asked for without the name that the gateway asks for',
    rule: 'encryption',
    says: /asks for auth, which no certificate of auth says: auth\.gatehouse\.svc$/,
    plant: (house) =>
      house.put({
        apiVersion: 'cert-manager.io/v1',
        kind: 'Certificate',
        metadata: { name: 'auth-grpc', namespace: 'gatehouse' },
        spec: { secretName: 'auth-grpc-tls', dnsNames: ['auth.gatehouse.svc'] },
      }),
  },
  {
    name: 'a door of TLS that the gateway calls in plaintext',
    rule: 'encryption',
    says: /^GRPCRoute auth: leads to auth, which speaks TLS, and no BackendTLSPolicy says so/,
    plant: (house) => house.drop('BackendTLSPolicy', 'auth-grpc'),
  },
  {
    name: 'TLS towards a door that speaks none',
    rule: 'encryption',
    says: /asks auth for TLS, which it does not speak/,
    plant: (house) => house.env('auth', 'GRPC_TLS_CERT_FILE', undefined),
  },
  {
    name: 'cookies for a service that reads none',
    rule: 'headers',
    says: /^HTTPRoute user: has a rule for user that does not take cookie away/,
    plant: (house) => house.set('HTTPRoute', 'user', 'spec.rules.0.filters.0', undefined),
  },
  {
    name: 'answers that let browsers come back in plaintext',
    rule: 'headers',
    says: /^HTTPRoute auth: has a rule for auth that does not set strict-transport-security/,
    plant: (house) => house.set('HTTPRoute', 'auth', 'spec.rules.0.filters', undefined),
  },
  {
    name: "a listener that takes everybody's routes",
    rule: 'encryption',
    says: /its listener web takes routes of everybody's/,
    plant: (house) => house.set('Gateway', 'gatehouse', 'spec.listeners.1.allowedRoutes.namespaces', { from: 'All' }),
  },
  {
    name: 'an authority that nobody else trusts',
    rule: 'encryption',
    says: /^BackendTLSPolicy auth-grpc: trusts other, which the pods themselves do not/,
    plant: (house) => house.set('BackendTLSPolicy', 'auth-grpc', 'spec.validation.caCertificateRefs.0.name', 'other'),
  },
]
